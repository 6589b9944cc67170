# shellcheck shell=sh disable=SC2154
# firewalld, where it runs: opens ports with --open-firewall yes, and otherwise logs which ports are closed. What was
# opened from here is remembered by whom it was for, and closed when that one no longer wants it.

firewalld_runs() { command -v firewall-cmd >/dev/null && firewall-cmd -q --state >/dev/null 2>&1; }

# provide_open_ports FOR "PORT …": now and for later starts; a reload, which drops what others opened for now, is not
# needed.
provide_open_ports() {
    firewalld_runs || return 0
    firewall_fact=firewall.$1 ports_shut="" ports_wanted=""
    [ "$arg_open_firewall" != yes ] || ports_wanted=$2
    close_ports "$1" "$ports_wanted"
    for firewall_port in $2; do
        if [ -n "$ports_wanted" ]; then
            open_port "$firewall_port"
        elif ! firewall-cmd -q --query-port="$firewall_port/tcp"; then
            ports_shut="$ports_shut $firewall_port/tcp"
        fi
    done
    [ -z "$ports_shut" ] ||
        log "firewalld is active and its default zone does not list$ports_shut. Set open_firewall, or open what clients need by hand"
}

open_port() {
    ! is_noted_elsewhere "$firewall_fact" "$1" || note_port "$1"
    for firewall_when in '' --permanent; do
        # shellcheck disable=SC2086
        ! firewall-cmd -q $firewall_when --query-port="$1/tcp" || continue
        note_port "$1"
        # shellcheck disable=SC2086
        firewall-cmd -q $firewall_when --add-port="$1/tcp" ||
            fail "open_firewall: firewalld does not open $1/tcp (its output is above). Open it by hand and leave open_firewall out"
        log "firewalld: opened $1/tcp${firewall_when:+ for later starts}"
    done
}

note_port() {
    note_known=$(fact "$firewall_fact")
    case " $note_known " in *" $1 "*) ;; *) save_fact "$firewall_fact" "${note_known:+$note_known }$1" ;; esac
}

# is_noted_elsewhere FACT PORT: does another registry or server use a port that was opened from here?
is_noted_elsewhere() { grep -lsw -e "$2" "$FACTS_ROOT"/*/firewall.* | grep -qvxF -e "$FACTS/$1"; }

# close_ports FOR "KEEP …": what was opened for this one, less what it keeps; forgotten only when it is closed or when
# another one uses it.
close_ports() {
    for close_port in $(fact "firewall.$1"); do
        case " $2 " in *" $close_port "*) continue ;; esac
        is_noted_elsewhere "firewall.$1" "$close_port" || close_port "$close_port"
        close_kept=
        for close_other in $(fact "firewall.$1"); do
            [ "$close_other" = "$close_port" ] || close_kept="${close_kept:+$close_kept }$close_other"
        done
        if [ -n "$close_kept" ]; then save_fact "firewall.$1" "$close_kept"; else remove_facts "firewall.$1"; fi
    done
}

# close_port PORT: firewalld that is stopped reads its own files when it starts, which another program changes.
close_port() {
    close_way=firewall-cmd
    if firewalld_runs; then
        firewall-cmd -q --remove-port="$1/tcp" || :
        set -- "$1" --permanent
    elif command -v firewall-offline-cmd >/dev/null; then
        close_way=firewall-offline-cmd
    else
        log "there is no firewalld any more that port $1/tcp could be open in"
        return 0
    fi
    # shellcheck disable=SC2086
    $close_way -q ${2:-} --remove-port="$1/tcp" || :
    # shellcheck disable=SC2086
    ! $close_way -q ${2:-} --query-port="$1/tcp" ||
        fail "open_firewall: firewalld does not close $1/tcp (its output is above). Close it by hand and run again"
    log "firewalld: closed $1/tcp"
}
