#!/bin/sh
# drift.sh STACK [FORMAT]: compares a stack with what is really there; writes preview.json and summary.md.
#
# Exit status: 0 no drift, 3 drift, another one when the preview failed. It reads the server, and changes nothing.
set -eu

stack=${1:?the name of a stack is missing}
format=${2:-markdown}
PATH=$PWD/.venv/bin:$PATH
export PATH

status=0
pulumi preview --stack "$stack" --refresh --expect-no-changes --json --non-interactive >preview.json || status=$?
summary_status=0
nexus-registry summary --format "$format" --name "$stack" preview.json >summary.md || summary_status=$?
[ "$status" -ne 0 ] || exit 0
cat summary.md
# The preview ends with an error both when it failed and when it found changes; only the former has errors to show.
[ "$summary_status" -ne 0 ] || exit 3
[ "$status" -ne 3 ] || status=1 # the CLI's own 3: the login to the backend failed
exit "$status"
