#!/bin/sh
# packages.sh NAME...: installs those of the Debian packages that are missing, with sudo where this is not root.
set -eu

for name; do
    shift
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null) || status=
    [ "$status" = installed ] || set -- "$@" "$name"
done
[ "$#" -gt 0 ] || exit 0
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get -qq update
$sudo apt-get -qq install --yes --no-install-recommends "$@"
