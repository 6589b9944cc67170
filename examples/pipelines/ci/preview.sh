#!/bin/sh
# preview.sh STACK [FORMAT]: previews a stack, writes preview.json and summary.md, and exits with the preview's status.
#
# The stack `review` stands for itself: its passphrase is public, its secrets are placeholders and its state is empty
# and gone afterwards, so that it runs where no secret may be, as for a merge request from a fork.
set -eu

stack=${1:?the name of a stack is missing}
format=${2:-markdown}
PATH=$PWD/.venv/bin:$PATH
export PATH

if [ "$stack" = review ]; then
    state=$(mktemp -d)
    trap 'rm -rf "$state"' EXIT
    export PULUMI_BACKEND_URL="file://$state" PULUMI_CONFIG_PASSPHRASE=review
    pulumi stack init review --no-select --non-interactive
fi

status=0
pulumi preview --stack "$stack" --json --non-interactive >preview.json || status=$?
summary_status=0
nexus-registry summary --format "$format" --name "$stack" preview.json >summary.md || summary_status=$?
if [ "$summary_status" -gt 1 ]; then
    {
        echo "<!-- nexus-registry summary: $stack -->"
        echo "## Preview of $stack"
        echo
        echo "There is no preview. The log of the job says why."
    } >summary.md
    [ "$status" -ne 0 ] || status=$summary_status
fi
[ "$status" -eq 0 ] || cat summary.md
exit "$status"
