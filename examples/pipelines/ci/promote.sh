#!/bin/sh
# promote.sh FROM TO: gives the stack TO the version of Nexus that the stack FROM has, with the archive's checksum.
#
# Only the file Pulumi.TO.yaml changes. Commit it; the preview of that commit shows the upgrade.
set -eu

from=Pulumi.${1:?the stack that has the version is missing}.yaml
to=Pulumi.${2:?the stack that gets it is missing}.yaml
new=$(mktemp)
trap 'rm -f "$new"' EXIT

cp "$to" "$new"
for key in version archive_sha256; do
    line=$(grep "^  nexus-registry:$key:" "$from") || {
        echo "promote.sh: $from has no line nexus-registry:$key. Set it there first." >&2
        exit 1
    }
    grep -q "^  nexus-registry:$key:" "$new" || {
        echo "promote.sh: $to has no line nexus-registry:$key. Set it there once by hand." >&2
        exit 1
    }
    LINE=$line awk -v key="  nexus-registry:$key:" 'index($0, key) == 1 { $0 = ENVIRON["LINE"] } { print }' \
        "$new" >"$new.next"
    mv "$new.next" "$new"
done
cat "$new" >"$to"
