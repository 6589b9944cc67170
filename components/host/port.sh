# shellcheck shell=sh disable=SC2154
# port: are these ports free, or this unit's own?

step() {
    parse "unit" "" "port" "$@"
    take_lock port
    [ "$verb" != delete ] || return 0
    [ -n "$arg_port" ] || die "port is missing"
    for port in $arg_port; do
        check_port port "$port"
        refuse_taken_port port "$port"
        say "port $port can be used"
    done
}
