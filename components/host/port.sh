# shellcheck shell=sh disable=SC2154
# port: are these ports free, or this unit's own? And does firewalld let clients through to them?

step() {
    parse "unit" "for open-firewall https-port http-port address" "" "$@"
    take_lock port
    port_for=registry-$(printf '%s' "$arg_for" | tr -c 'A-Za-z0-9._-' _)
    if [ "$verb" = delete ]; then
        close_ports "$port_for" ''
        return 0
    fi
    [ -n "$arg_https_port$arg_http_port" ] || fail "https_port: is required. Give the port at which clients reach the registry"
    [ -z "$arg_https_port" ] || check_free https_port "$arg_https_port"
    [ -z "$arg_http_port" ] || check_free http_port "$arg_http_port"
    provide_open_ports "$port_for" "$arg_https_port $arg_http_port"
}

check_free() {
    check_port "$1" "$2"
    refuse_taken_port "$1" "$2" "$arg_address"
    log "port $2 can be used"
}
