# shellcheck shell=sh disable=SC2154
# Who listens on a port of this host.

# listeners PORT: "address program pid" of each listener, "-" for what can't be seen.
listeners() {
    ss -ltnp 2>/dev/null | awk -v port="$1" '
        NR > 1 && $4 ~ (":" port "$") {
            address = substr($4, 1, length($4) - length(port) - 1)
            program = "-"; pid = "-"
            if (match($0, /\(\("[^"]*"/)) program = substr($0, RSTART + 3, RLENGTH - 4)
            if (match($0, /pid=[0-9]+/)) pid = substr($0, RSTART + 4, RLENGTH - 4)
            gsub(/ /, "_", program)
            print address, program, pid
        }'
}

# refuse_taken_port ARGUMENT PORT [ADDRESS]: unless it is this unit's own.
refuse_taken_port() {
    listeners "$2" | while read -r taken_address taken_program taken_pid; do
        [ "$taken_pid" = - ] || ! is_of_unit "/proc/$taken_pid/cgroup" || continue
        addresses_conflict "$taken_address" "${3:-0.0.0.0}" || continue
        taken_by="by $taken_program (pid $taken_pid)"
        [ "$taken_pid" != - ] || taken_by="by another program, which can't be seen from here"
        fail "$1: $2 is in use $taken_by, which listens on $taken_address. Stop that program or choose another $1"
    done
}

# addresses_conflict LISTENER OURS: may both not listen on one port? OURS may be a name.
addresses_conflict() {
    meet_listener=$(plain_address "$1") meet_ours=$(plain_address "$2")
    case $meet_listener,$meet_ours in any,* | *,any | "$meet_ours,$meet_ours") return 0 ;; esac
    getent ahosts "$meet_ours" 2>/dev/null | awk '{ print $1 }' | grep -qxF -- "$meet_listener"
}

# plain_address ADDRESS: as ss writes it, without brackets and interface; every address is any.
# Java listens on an IPv4 address by an IPv6 socket, which ss shows as [::ffff:…].
plain_address() {
    plain_address=${1#\[}
    plain_address=${plain_address%\]}
    plain_address=${plain_address%%\%*}
    case $plain_address in [:0]*:[fF][fF][fF][fF]:*.*.*.*) plain_address=${plain_address##*:} ;; esac
    case $plain_address in
        '*' | :: | 0.0.0.0) printf any ;;
        *) printf '%s' "$plain_address" ;;
    esac
}
