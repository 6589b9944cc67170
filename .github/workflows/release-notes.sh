#!/bin/sh
# release-notes.sh TAG: prints the section of CHANGELOG.md for a tag, and refuses one that is not the version to release.
set -eu

version=${1#v}
stated=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
if [ "$stated" != "$version" ]; then
    echo "release-notes.sh: the tag is $1, and the version in pyproject.toml is $stated. Make them the same." >&2
    exit 1
fi
notes=$(awk -v version="$version" '
    /^## / { wanted = ($2 == version || $2 == "[" version "]"); next }
    wanted { print }
' CHANGELOG.md)
if [ -z "$notes" ]; then
    echo "release-notes.sh: CHANGELOG.md has no section $version. Rename the section Unreleased." >&2
    exit 1
fi
printf '%s\n' "$notes"
