# shellcheck shell=sh disable=SC2154
# Functions of every host step: arguments, messages, the lock, facts, files. Sent before the step's own file.
# (SC2154: a flag --like-this becomes the variable $arg_like_this in parse.)
set -eu
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

FACTS_ROOT=/var/lib/nexus-registry
RUN_DIR=/run/nexus-registry
LOCK_FILE=/run/nexus-registry.lock
UNIT_DIR=/etc/systemd/system
NEWLINE='
'

# --- messages ---------------------------------------------------------------------------------------------------

log() { printf '%s%s\n' "${log_mark:-}" "$*"; }

# fail MESSAGE: the argument as the user knows it, what is wrong, what to do; a missing period is added. The pause
# makes it the last line where a program joins standard output and standard error as they arrive.
fail() {
    [ -z "${SSH_CONNECTION:-}${SUDO_USER:-}" ] || sleep 0.2 2>/dev/null || sleep 1
    case $* in *[.?]) printf '%s\n' "$*" ;; *) printf '%s.\n' "$*" ;; esac >&2
    exit 1
}

# --- the end of a run -------------------------------------------------------------------------------------------

# at_exit COMMAND: run when the step ends, the last one first, also when a signal ends it: dash and busybox run no
# EXIT trap then.
at_exit() {
    exit_commands="{ $1; } || :${exit_commands:+; $exit_commands}"
    trap 'trap "" HUP INT PIPE TERM; eval "$exit_commands"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
}

# --- arguments --------------------------------------------------------------------------------------------------

# parse "REQUIRED …" "OPTIONAL …" "REPEATED …" VERB --flag value …   sets $verb and $arg_<flag with _>;
# a repeated flag's values are joined by newlines. A step ignores --repair, whose new value makes it run.
parse() {
    parse_required=$1 parse_optional="$2 lock-timeout repair urn" parse_repeated=$3
    shift 3
    verb=${1:-}
    case $verb in create | update | delete) shift ;; *) fail "the verb must be create, update or delete, not '$verb'" ;; esac
    for parse_name in $parse_required $parse_optional $parse_repeated; do
        eval "arg_$(underscored "$parse_name")="
    done
    while [ $# -gt 0 ]; do
        parse_name=${1#--}
        [ "--$parse_name" = "$1" ] || fail "unexpected argument '$1'"
        [ $# -ge 2 ] || fail "$1 requires a value"
        case $2 in *"$NEWLINE"*) fail "$(underscored "$parse_name"): must be a single line" ;; esac
        case $parse_name in
            *:octal) parse_set "${parse_name%:octal}" "$(from_octal "$2")" ;;
            *) parse_set "$parse_name" "$2" ;;
        esac
        shift 2
    done
    for parse_name in $parse_required; do
        eval "[ -n \"\$arg_$(underscored "$parse_name")\" ]" || fail "$(underscored "$parse_name"): is required"
    done
    unit=${arg_unit%.service}
    check_word unit "$unit"
    FACTS=$FACTS_ROOT/$unit
}

parse_set() {
    case " $parse_required $parse_optional $parse_repeated " in
        *" $1 "*) ;;
        *) fail "unknown flag --$1" ;;
    esac
    parse_var=arg_$(underscored "$1")
    case " $parse_repeated " in
        *" $1 "*) eval "$parse_var=\${$parse_var:+\$$parse_var\$NEWLINE}\$2" ;;
        *) eval "$parse_var=\$2" ;;
    esac
}

# from_octal DIGITS: three for each byte, for characters that login shells other than sh would change.
from_octal() { printf '%b' "$(printf '%s' "$1" | sed 's/[0-7][0-7][0-7]/\\0&/g')"; }

# underscored WORD: with _ for each -; without a process, because it is called for every flag.
underscored() {
    case $1 in *-*) underscored "${1%%-*}_${1#*-}" ;; *) printf '%s' "$1" ;; esac
}

# The rules of check_word, check_path and check_place are those of arguments.py, by which a preview refuses the same.
check_word() {
    case $2 in
        '' | -* | .* | *[!A-Za-z0-9._@-]*) fail "$1: '$2' may hold only letters, digits and . _ @ -, and must not begin with . or -. Choose another $1." ;;
    esac
    case $1,$2 in unit,@* | unit,*@) fail "unit: '$2' is a template without an instance. Give a name such as nexus@main." ;; esac
}

check_number() {
    case $2 in '' | *[!0-9]* | ??????????*) fail "$1: must be a whole number, not '$2'" ;; esac
}

check_port() {
    check_number "$1" "$2"
    { [ "$2" -ge 1 ] && [ "$2" -le 65535 ]; } || fail "$1: must be from 1 to 65535, not $2"
}

check_hex() {
    case $3 in *[!0-9a-f]*) fail "$1: must be $2 hexadecimal digits, not '$3'" ;; esac
    [ ${#3} -eq "$2" ] || fail "$1: must be $2 hexadecimal digits, not '$3'"
}

# A path that may go into a unit file, a Java option and an rm -r.
check_path() {
    case $2 in
        /*) ;;
        *) fail "$1: '$2' is not an absolute path. Give one that begins with /." ;;
    esac
    case $2 in
        *[!A-Za-z0-9/._+-]*) fail "$1: '$2' may hold only letters, digits and / . _ + -. Choose another directory." ;;
    esac
    case "$2/" in
        *//* | */./* | */../*) fail "$1: '$2' has an empty part, '.' or '..' in it, or ends in /. Give the plain path." ;;
    esac
    case $2 in
        /bin | /boot | /dev | /etc | /home | /lib | /lib64 | /media | /mnt | /opt | /proc | /root | /run | /sbin | /srv | /sys | /tmp | \
            /usr | /usr/bin | /usr/lib | /usr/local | /usr/sbin | /usr/share | /var | /var/cache | /var/lib | /var/log | /var/tmp)
            fail "$1: $2 belongs to the system. Choose a directory that only Nexus uses."
            ;;
        /var/lib/nexus-registry | /var/lib/nexus-registry/*)
            fail "$1: $2 is for the records of these steps. Choose another directory, such as /var/lib/nexus"
            ;;
    esac
}

# a version like 3.71.0-06 as one number that compares: 3071000
version_number() {
    printf '%s' "$1" | awk -F'[.-]' '{ printf "%d%03d%03d", $1, $2, $3 }'
}

check_version() {
    case $1 in
        3.[0-9]*.[0-9]*-[0-9]*) check_word version "$1" ;;
        *) fail "version: must be a full Nexus 3 version such as 3.71.0-06, not '$1'" ;;
    esac
}

# --- one step at a time -----------------------------------------------------------------------------------------

# take_lock STEP: waits for the host's lock, says who holds it, and gives up after --lock-timeout seconds. Makes
# $temp_dir, root's alone and in memory, which goes with the run.
take_lock() {
    lock_left=${arg_lock_timeout:-600}
    check_number lock_timeout "$lock_left"
    command -v flock >/dev/null || fail "host: the program flock is missing. Install the package util-linux"
    [ -e "$LOCK_FILE" ] || (umask 077 && : >>"$LOCK_FILE")
    chmod 0600 "$LOCK_FILE" # whoever may read it may hold the lock
    exec 9>>"$LOCK_FILE"
    end_leftover
    while ! flock -n 9; do
        [ "$lock_left" -gt 0 ] || fail "host: another step is running here: $(lock_holder). Run again when it has ended"
        log "waiting for another step on this host: $(lock_holder)"
        lock_slice=10
        [ "$lock_left" -ge 10 ] || lock_slice=$lock_left
        lock_left=$((lock_left - lock_slice))
        if flock -w "$lock_slice" 9; then break; fi
    done
    lock_step="step $1 of unit $unit, since $(date '+%H:%M:%S'), pid $$"
    note_program
    own_dir "$RUN_DIR" root:root 0700
    rm -rf "$RUN_DIR"/*.??????
    remove_leftovers
    temp_dir=$(mktemp -d "$RUN_DIR/$1.XXXXXX") || fail "host: $RUN_DIR can't be written (the reason is above). Free space in /run and run again"
    at_exit remove_temp_dir
    at_exit end_program
}

# remove_leftovers: what put_file and doctor left when they were killed.
remove_leftovers() {
    for left_in in "$FACTS_ROOT"/* "$UNIT_DIR" ${arg_data_dir:+"$arg_data_dir" "$arg_data_dir"/etc "$arg_data_dir"/etc/ssl "$arg_data_dir"/etc/jetty}; do
        rm -f "$left_in"/.nexus-registry.?????? 2>/dev/null || :
    done
    remove_dead_doctors
}

remove_dead_doctors() {
    for left_doctor in "$RUN_DIR"/doctor-*; do # doctor-<pid>
        [ -d "/proc/${left_doctor##*-}" ] || rm -rf "$left_doctor"
    done
}

remove_temp_dir() { rm -rf "$temp_dir"; }

lock_holder() {
    if [ ! -s "$LOCK_FILE" ]; then
        printf 'a step that has not said its name yet'
    else
        head -n 1 "$LOCK_FILE" | tr -d '\n'
        # shellcheck disable=SC2046
        set -- $(sed -n 's/^program //p' "$LOCK_FILE")
        ! program_runs "$@" || kill -0 "$(sed -n '1s/.* pid //p' "$LOCK_FILE")" 2>/dev/null ||
            printf ', which was killed and left %s (pid %s)' "$(cat "/proc/$1/comm")" "$1"
    fi
}

# --- facts: what must be remembered between runs ----------------------------------------------------------------

fact() { if [ -f "$FACTS/$1" ]; then cat "$FACTS/$1"; fi; }
has_fact() { [ -f "$FACTS/$1" ]; }

save_fact() {
    if [ "$(fact "$1")" = "$2" ] && has_fact "$1"; then return 0; fi
    [ -d "$FACTS" ] || (umask 077 && mkdir -p "$FACTS") || fail "host: $FACTS can't be created (the reason is above). Free space on its disk and run again"
    printf '%s\n' "$2" | put_file "$FACTS/$1" root:root 0600
}

remove_facts() {
    for fact_name in "$@"; do rm -f "$FACTS/$fact_name"; done
    rmdir "$FACTS" "$FACTS_ROOT" 2>/dev/null || :
}

# add_to_fact FACT VALUE, remove_from_fact FACT VALUE, fact_contains FACT VALUE: a fact that is a set of lines.
add_to_fact() { fact_contains "$1" "$2" || save_fact "$1" "$({ fact "$1" && printf '%s\n' "$2"; } | grep .)"; }
fact_contains() { fact "$1" | grep -qxF -- "$2"; }
remove_from_fact() {
    fact_rest=$(fact "$1" | grep -vxF -- "$2" || :)
    if [ -n "$fact_rest" ]; then save_fact "$1" "$fact_rest"; else remove_facts "$1"; fi
}

# --- files ------------------------------------------------------------------------------------------------------

# put_file PATH OWNER:GROUP MODE <content: by a temporary file beside it and one rename, never through a link. The content
# is on the disk before the rename, or a power loss could leave an empty file.
put_file() (
    put_failed="$1 could not be written (the reason is above). Free space on the disk of $(dirname "$1") and run again"
    put_temp=$(umask 077 && mktemp "$(dirname "$1")/.nexus-registry.XXXXXX") || fail "$put_failed"
    exit_commands=
    # shellcheck disable=SC2016
    at_exit 'rm -f "$put_temp"'
    cat >"$put_temp" || fail "$put_failed"
    chown "$2" "$put_temp"
    chmod "$3" "$put_temp"
    dd if=/dev/null of="$put_temp" conv=notrunc,fsync 2>/dev/null || sync
    mv -f "$put_temp" "$1"
)

# same_file PATH OWNER:GROUP MODE <content: is the file like that already?
same_file() {
    [ -f "$1" ] && [ ! -L "$1" ] && is_owned "$1" "$2" "$3" && cmp -s - "$1"
}

# is_owned PATH OWNER:GROUP MODE: compared by number, because two names may share one.
is_owned() { [ "$(stat -c '%u:%g 0%a' "$1")" = "$(owner_numbers "$2") $3" ]; }

# owner_numbers OWNER:GROUP: uid:gid
owner_numbers() { printf '%s:%s' "$(account_number passwd "${1%%:*}")" "$(account_number group "${1#*:}")"; }

# account_number passwd|group NAME: its uid or gid; for a name that does not exist 2147483647, the largest that find takes.
account_number() {
    if [ "$2" = root ]; then echo 0; else getent "$1" "$2" | cut -d : -f 3 | grep . || printf 2147483647; fi
}

# real_path PATH: with every link resolved, also where its last parts do not exist yet.
real_path() {
    real_at=$1 real_rest=
    while [ ! -d "$real_at" ]; do
        if [ -L "$real_at" ] && real_target=$(readlink -f "$real_at"); then
            real_at=$real_target
        else
            real_rest=/${real_at##*/}$real_rest
            real_at=${real_at%/*}
            : "${real_at:=/}"
        fi
    done
    real_at=$(cd -P "$real_at" && pwd -P)
    printf '%s%s' "${real_at%/}" "$real_rest"
}

# free_mb PATH: the room on the disk of a directory.
free_mb() { df -Pk "$1" | awk 'END { print int($4 / 1024) }'; }

# own_dir PATH OWNER:GROUP MODE: a directory, never a link, whose target someone else could change.
own_dir() {
    [ ! -L "$1" ] || fail "$1 is a symbolic link: root does not write through it. Make it a directory"
    own_failed="host: $1 can't be created or given to $2 (the reason is above). Make its file system writable for root, free space there, and run again"
    [ -d "$1" ] || mkdir "$1" || fail "$own_failed"
    is_owned "$1" "$2" "$3" || { chown "$2" "$1" && chmod "$3" "$1"; } || fail "$own_failed"
}

sha256_of() { sha256sum "$1" | cut -c -64; }

# --- time -------------------------------------------------------------------------------------------------------

# uptime_seconds: whole seconds since the host started. Unlike the clock it never jumps, so limits are measured by it.
uptime_seconds() {
    if read -r uptime_now _ 2>/dev/null </proc/uptime; then printf '%s' "${uptime_now%%.*}"; else date +%s; fi
}

# --- programs that take long ------------------------------------------------------------------------------------

# run_with_progress WHAT LIMIT COMMAND …: runs it, logs progress every 10 s, and shows the end of its output when it fails.
# It ends with the step, unless $progress_if_cut is "stays": then it holds the lock until it ends.
run_with_progress() {
    progress_what=$1 progress_limit=$2 progress_said=0 progress_started=$(uptime_seconds)
    shift 2
    progress_log=$(mktemp "$temp_dir/output.XXXXXX") || fail "host: $temp_dir can't be written (the reason is above). Free space in /run and run again"
    "$@" >"$progress_log" 2>&1 &
    progress_pid=$!
    note_program
    while kill -0 "$progress_pid" 2>/dev/null; do
        sleep 0.2
        progress_spent=$(($(uptime_seconds) - progress_started))
        if [ "$progress_spent" -ge "$progress_limit" ]; then
            kill_tree "$progress_pid"
            fail "$progress_what did not end within $progress_limit s$(progress_detail). Run again when the host is less busy"
        fi
        if [ $((progress_spent - progress_said)) -ge 8 ]; then
            progress_said=$progress_spent
            log "$progress_what: $progress_spent s$(progress_detail)"
        fi
    done
    progress_status=0
    wait "$progress_pid" || progress_status=$?
    progress_pid=
    note_program
    [ "$progress_status" -eq 0 ] || tail -n 15 "$progress_log" >&2
    rm -f "$progress_log"
    return "$progress_status"
}

# note_program: the lock's file names the step and the program that it runs.
note_program() {
    [ -n "${lock_step:-}" ] || return 0
    note_line=
    [ -z "${progress_pid:-}" ] || note_line="program $progress_pid $(process_start "$progress_pid") ${progress_if_cut:-ends}"
    printf '%s\n' "$lock_step" "$note_line" >"$LOCK_FILE"
}

# program_runs PID START …: does the recorded process still run?
program_runs() { [ -n "${2:-}" ] && [ "$(process_start "$1")" = "$2" ]; }
process_start() { sed -n '$s/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# end_program: ends the program that this step notes in the lock's file, if it still runs.
end_program() {
    [ -z "${progress_pid:-}" ] || note_program
    end_noted "$(cat "$LOCK_FILE")"
}

# end_leftover: ends the program of a step that was killed by SIGKILL, which still holds the lock. Reads the lock's file
# once: a step that runs may write it now.
end_leftover() {
    left_lock=$(cat "$LOCK_FILE")
    left_pid=$(printf '%s\n' "$left_lock" | sed -n '1s/.* pid //p')
    [ -z "$left_pid" ] || kill -0 "$left_pid" 2>/dev/null || end_noted "$left_lock"
}

# end_noted TEXT: of the lock's file.
end_noted() {
    # shellcheck disable=SC2046
    set -- $(printf '%s\n' "$1" | sed -n 's/^program //p')
    if program_runs "$@" && [ "$3" = ends ]; then kill_tree "$1"; fi
}

# kill_tree PID: the process and all below it.
kill_tree() {
    kill_pids=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$1" '
        { pid = $1; sub(/.*\) /, ""); split($0, part, " "); below[part[2]] = below[part[2]] " " pid }
        END { for (all = root; root != ""; all = all root) { count = split(root, now, " "); root = ""
            for (i = 1; i <= count; i++) root = root below[now[i]] }
            print all }')
    # shellcheck disable=SC2086
    kill $kill_pids 2>/dev/null || :
}

# progress_detail: for progress messages; a step sets $progress_size to a file that grows.
progress_detail() {
    if [ -n "${progress_size:-}" ] && [ -f "$progress_size" ]; then
        printf ', %s MB so far' "$(($(stat -c %s "$progress_size") / 1048576))"
    fi
}

# --- what is running --------------------------------------------------------------------------------------------

unit_is() { [ "$(unit_property ActiveState)" = "$1" ]; }
# unit_property PROPERTY [UNIT]: of this step's unit, unless another one is named.
unit_property() { systemctl show -p "$1" "${2:-$unit}.service" 2>/dev/null | sed -n "s/^$1=//p"; }

# is_of_unit CGROUP_FILE: is it that of a process of this server, also under its unit's former name? systemd puts _ before
# a name that begins with _, or that is the name of a controller.
is_of_unit() {
    for of_unit in "$unit" ${former_units:-}; do
        ! grep -qF -e "/$of_unit.service" -e "/_$of_unit.service" "$1" 2>/dev/null || return 0
    done
    return 1
}

systemd_version() { systemctl --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p'; }
