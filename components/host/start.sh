# shellcheck shell=sh disable=SC2154
# Starting, stopping and waiting, with the end of Nexus's own log when a start fails.

# base_url: where Nexus answers plain HTTP, seen from this host.
base_url() { printf 'http://%s:%s%s' "$(local_address bracketed)" "$arg_http_port" "${arg_context_path%/}"; }

local_address() {
    case ${arg_address:-0.0.0.0} in
        0.0.0.0 | ::) printf 127.0.0.1 ;;
        *:*) if [ "${1:-}" = bracketed ]; then printf '[%s]' "$arg_address"; else printf '%s' "$arg_address"; fi ;;
        *) printf '%s' "$arg_address" ;;
    esac
}

http_code() { curl -s -g -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 10 "$(base_url)$1" || :; }

# owns_http_port: does this unit listen on the HTTP port? True when no listener is visible.
owns_http_port() {
    listening=$(listeners "$arg_http_port" | while read -r _ _ listening_pid; do
        [ "$listening_pid" = - ] || ! is_of_unit "/proc/$listening_pid/cgroup" || listening_pid=own
        printf '%s\n' "$listening_pid"
    done)
    case $listening in *own* | '' | *-*) ;; *) return 1 ;; esac
}

# is_ready: does Nexus serve and can it write? For versions without the status resources, the log answers that.
is_ready() {
    owns_http_port || { last_code='another program' && return 1; }
    last_code=$(http_code /service/rest/v1/status/writable)
    [ "$last_code" = 404 ] || { [ "$last_code" = 200 ] && return 0 || return 1; }
    last_code=$(http_code /service/rest/v1/status)
    [ "$last_code" = 404 ] || { [ "$last_code" = 200 ] && return 0 || return 1; }
    [ "$(http_code /)" = 200 ] && log_since | grep -q 'Started Sonatype Nexus'
}

# served_fingerprint: of the certificate that the HTTPS port shows.
served_fingerprint() {
    # shellcheck disable=SC2086 # several words
    timeout 20 "$java/bin/keytool" $KEYTOOL_OPTIONS -printcert -sslserver "$(local_address bracketed):$arg_https_port" 2>/dev/null |
        sed -n 's/^.*SHA256: *//p' | head -n 1 | tr -d ': ' | tr A-F a-f
}

# await_certificate SECONDS: until HTTPS answers with the certificate that was given.
await_certificate() {
    certificate_until=$(($(uptime_seconds) + $1))
    while :; do
        served=$(served_fingerprint)
        [ "$served" != "$fingerprint" ] || return 0
        [ "$(uptime_seconds)" -lt "$certificate_until" ] || return 1
        sleep 1
    done
}

stop_service() {
    stop_started=$(uptime_seconds) stop_said=0
    systemctl --no-block stop "$unit.service"
    while :; do
        case $(unit_property ActiveState) in inactive | failed) break ;; esac
        stop_spent=$(($(uptime_seconds) - stop_started))
        if [ $((stop_spent - stop_said)) -ge 8 ]; then
            stop_said=$stop_spent
            log "stopping $unit.service: $stop_spent s"
            [ "$stop_spent" -lt 30 ] || holds_database || kill_service
        fi
        [ "$stop_spent" -lt 400 ] || fail "host: $unit.service does not stop. See its journal (journalctl -u $unit)"
        sleep 0.2
    done
}

# holds_database: has a process opened the database? That of an external one is not visible on this host.
holds_database() {
    ! database_elsewhere || return 0
    find /proc/[0-9]*/fd -lname "$(readlink -f "$arg_data_dir/db")/*" 2>/dev/null | grep -q .
}

# kill_service: a Nexus that is stopped in the first seconds of its start may never end (seen with 3.71: the framework of
# its bundles ends while they are being installed). It has not opened the database by then, so nothing is lost.
kill_service() {
    log "killing $unit.service: it does not stop, and has not opened its database yet"
    systemctl kill --signal=SIGKILL "$unit.service"
}

start_service() {
    record_version
    start_unit
    await_certificate 60 || fail_certificate
    log "Nexus $arg_version serves HTTP on $arg_http_port and HTTPS on $arg_https_port after $(($(uptime_seconds) - start_began)) s"
}

# start_unit: starts the unit as it is, until Nexus serves.
start_unit() {
    nexus_log=$arg_data_dir/log/nexus.log log_before=0 log_inode=
    [ ! -f "$nexus_log" ] || log_before=$(stat -c %s "$nexus_log") log_inode=$(stat -c %i "$nexus_log")
    systemctl reset-failed "$unit.service" 2>/dev/null || :
    start_began=$(uptime_seconds)
    systemctl start "$unit.service" || fail_start "host: $unit.service could not be started"
    save_fact service.starting "$(start_id) $log_before $log_inode"
    await_ready
}

# start_id: tells one start of the unit from another.
start_id() { printf '%s %s' "$(unit_property MainPID)" "$(unit_property ExecMainStartTimestampMonotonic)"; }

# start_in_progress: is the process the one that an interrupted run started, with all pending changes?
start_in_progress() { case $(fact service.starting) in "$(start_id) "*) ;; *) return 1 ;; esac }

await_running_start() {
    nexus_log=$arg_data_dir/log/nexus.log log_before=old log_inode='' last_code='' start_began=$(uptime_seconds)
    if start_in_progress; then
        log_before=$(fact service.starting | cut -d ' ' -f 3)
        log_inode=$(fact service.starting | cut -d ' ' -f 4)
    fi
    await_ready
    await_certificate 60 || fail_certificate
}

fail_certificate() {
    fail_start "https_port: port $arg_https_port serves ${served:-no certificate}, not the certificate $(short_fingerprint "$fingerprint")"
}

await_ready() {
    start_said=0
    start_pid=$(unit_property MainPID)
    while ! is_ready; do
        start_spent=$(($(uptime_seconds) - start_began))
        # in one call: between two calls the process may end
        case "$(systemctl show -p ActiveState -p SubState -p MainPID "$unit.service")$NEWLINE" in
            *ActiveState=failed* | *ActiveState=inactive* | *SubState=auto-restart*)
                fail_start "host: Nexus ended during its start after $start_spent s"
                ;;
            *MainPID="$start_pid$NEWLINE"*) ;;
            *) fail_start "host: Nexus crashed during its start after $start_spent s" ;;
        esac
        [ "$start_spent" -lt "$arg_start_timeout" ] ||
            fail_start "start_timeout: Nexus does not answer after $arg_start_timeout s ($(describe_response)). Raise the limit if the host is slow"
        if [ $((start_spent - start_said)) -ge 5 ]; then
            start_said=$start_spent
            ! start_failed || fail_start "host: Nexus could not start"
            log "Nexus is starting: $start_spent s, $(describe_response); $(last_activity)"
        fi
        sleep 0.5
    done
}

# start_failed: does the log of this start contain a failure? The process may stay and serve nothing.
start_failed() {
    [ "$log_before" != old ] && log_since | grep -qE ' ERROR .*\.(bootstrap|extender)\..* - (Start failed|Failed to (start|initialize))'
}

# log_since: what Nexus has logged since this start. Nexus begins a new file at the first entry of a day, and logrotate
# (copytruncate) empties the one that is there.
log_since() {
    if [ "$log_before" = old ] || [ "$(stat -c %i "$nexus_log" 2>/dev/null)" != "${log_inode:-}" ] ||
        [ "$(stat -c %s "$nexus_log")" -lt "$log_before" ]; then
        cat "$nexus_log"
    else
        tail -c "+$((log_before + 1))" "$nexus_log"
    fi 2>/dev/null
}

describe_response() {
    case $last_code in
        000) printf 'no answer yet' ;;
        another*) printf '%s listens on port %s' "$last_code" "$arg_http_port" ;;
        *) printf 'HTTP %s' "$last_code" ;;
    esac
}

# last_activity: the last message of Nexus in its log.
last_activity() {
    { [ -f "$nexus_log" ] && [ ! -L "$nexus_log" ]; } || { printf 'no log yet' && return; }
    log_since | grep -E ' (INFO|WARN|ERROR) ' | grep -viE 'passw|secret|properties:' | tail -n 1 |
        sed -e 's/^[0-9-]* [0-9:,.+-]* *//' -e 's/ \[[^]]*\] *\*[A-Za-z]* */ /' | cut -c -140 | redact
}

# redact: a filter that hides the secrets of this run.
redact() {
    MASK_A=$ADMIN_PASSWORD MASK_B=$KEYSTORE_PASSWORD awk '
        BEGIN { split("MASK_A MASK_B", names, " "); for (i in names) if (ENVIRON[names[i]] != "") hide[++count] = ENVIRON[names[i]] }
        {
            for (i = 1; i <= count; i++) {
                seen = ""
                while (at = index($0, hide[i])) { seen = seen substr($0, 1, at - 1) "***"; $0 = substr($0, at + length(hide[i])) }
                $0 = seen $0
            }
            print
        }'
}

fail_start() {
    remove_facts service.starting
    timeout 10 journalctl -q --sync 2>/dev/null || : # the last messages may not be in the journal yet
    {
        printf '%s\n' "--- the last lines of $nexus_log"
        if [ -L "$nexus_log" ]; then
            printf '%s\n' "$nexus_log is a symbolic link, which root does not follow"
        elif [ -f "$nexus_log" ]; then
            tail -n 30 "$nexus_log" | redact
        fi
        printf '%s\n' "--- the last lines of the journal of $unit.service"
        journalctl -q --no-pager -o cat -n 30 -u "$unit.service" 2>/dev/null | redact
    } >&2
    fail "$1. See its last output above, and the whole log in $nexus_log"
}
