# shellcheck shell=sh disable=SC2154
# port: are these ports free, or this unit's own? And does firewalld let clients through to them?

step() {
    parse "unit" "for open-firewall" "port" "$@"
    take_lock port
    port_for=registry-$(printf '%s' "$arg_for" | tr -c 'A-Za-z0-9._-' _)
    [ -n "$arg_port" ] || die "port is missing"
    if [ "$verb" = delete ]; then
        close_ports "$port_for" ''
        return 0
    fi
    for port in $arg_port; do
        check_port port "$port"
        refuse_taken_port port "$port"
        say "port $port can be used"
    done
    provide_open_ports "$port_for"
}
