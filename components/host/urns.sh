# shellcheck shell=sh disable=SC2154
# The resources that manage the work of a step: the fact <step>.urns has the URN of the NexusServer of each, the latest
# last. A resource that is renamed without an alias is created before the former one is deleted. That delete must leave
# everything in place.

# claim_step STEP: ends a delete when another resource manages the step: one of the same stack, or one of another stack
# that ran it later.
claim_step() {
    claimed_step=$1
    [ "$verb" = delete ] || return 0
    claim_others=$(fact "$1.urns" | grep -vxF -- "$arg_urn" || :)
    [ -n "$claim_others" ] || return 0
    claim_rest=${arg_urn#*::}
    claim_stack=${arg_urn%%::*}::${claim_rest%%::*}::
    case $NEWLINE$claim_others in
        *"$NEWLINE$claim_stack"*) ;;
        *) [ "$(fact "$1.urns" | tail -n 1)" != "$arg_urn" ] || return 0 ;;
    esac
    save_fact "$1.urns" "$claim_others"
    log "$1: nothing is removed, because $(printf '%s\n' "$claim_others" | tail -n 1) manages $unit.service. If that resource no longer exists, remove $FACTS/*.urns, then run pulumi up and pulumi destroy"
    exit 0
}

# note_claim: after a step. An update under another URN is that of a resource with an alias: it is the same resource.
note_claim() {
    [ -n "${claimed_step:-}" ] && [ -n "$arg_urn" ] || return 0
    claim_others=$(fact "$claimed_step.urns" | grep -vxF -- "$arg_urn" || :)
    case $verb in
        delete) remove_facts "$claimed_step.urns" && return 0 ;;
        update) fact_contains "$claimed_step.urns" "$arg_urn" || claim_others= ;;
    esac
    save_fact "$claimed_step.urns" "${claim_others:+$claim_others$NEWLINE}$arg_urn"
}
