# shellcheck shell=sh disable=SC2154
# Who owns the data directory, and the accounts that this unit's steps made: the facts account.user-made and
# account.group-made hold their names, account.data-dirs every data directory that was given to one, one a line.

# change_owner: gives all of the data directory to the service's account; can be cut and run again.
change_owner() {
    remember account.chown-pending "$arg_data_dir"
    run_with_progress "changing the owner of $arg_data_dir" 86400 chown -R -h "$arg_user:$arg_group" "$arg_data_dir" ||
        fail "data_dir: the owner of $arg_data_dir could not be changed (chown's words are above). Make its file system writable, then run again"
    forget account.chown-pending
}

# foreign_process: "program (pid N)" of a process that has a file of the data directory open under another account
# than the service's. Root's may be anything.
foreign_process() {
    foreign_wanted=$(owner_numbers "$arg_user:$arg_group")
    {
        unit_property MainPID
        find /proc/[0-9]*/fd -lname "$(real_path "$arg_data_dir")/*" 2>/dev/null | cut -d / -f 3 | sort -u
    } | while read -r foreign_pid; do
        foreign_account=$(account_of "$foreign_pid")
        case $foreign_account in '' | 0:* | "$foreign_wanted") continue ;; esac
        printf '%s (pid %s)\n' "$(cat "/proc/$foreign_pid/comm" 2>/dev/null)" "$foreign_pid"
        break
    done
}

# account_of PID: uid:gid
account_of() { awk '$1 == "Uid:" { uid = $3 } $1 == "Gid:" { print uid ":" $3 }' "/proc/$1/status" 2>/dev/null || :; }

# settle_owner: the change of owner that the account step left for a moment when the service is stopped. Until the
# unit names the new account, a failure gives everything back, and the service is started again.
settle_owner() {
    has_fact account.chown-pending || return 0
    derive_https_xml "$install_dir" /keystore "$java" x >/dev/null
    wanted_properties "$install_dir" >/dev/null
    [ "$(unit_origin)" = none ] || owner_before=$(stat -c %u:%g "$arg_data_dir")
    settle_pid=$(unit_property MainPID) owner_stopped=
    case $(account_of "$settle_pid") in
        '' | 0:* | "$(owner_numbers "$owner")") ;;
        *)
            log "stopping $unit.service: its data directory is to belong to $owner"
            stop_service
            owner_stopped=yes
            ;;
    esac
    log "giving $arg_data_dir to $owner"
    change_owner
}

# restore_owner: what settle_owner changed, for a service whose unit still names the former account.
restore_owner() {
    log "giving $arg_data_dir back to its former owner"
    remember account.chown-pending "$arg_data_dir"
    chown -R -h "$owner_before" "$arg_data_dir" || return 0
    [ -z "$owner_stopped" ] || systemctl --no-block start "$unit.service"
}

# --- accounts that a step made ----------------------------------------------------------------------------------

# note FACT VALUE, unnote FACT VALUE, is_noted FACT VALUE: a fact that is a set of lines.
note() { is_noted "$1" "$2" || remember "$1" "$({ fact "$1" && printf '%s\n' "$2"; } | grep .)"; }
is_noted() { fact "$1" | grep -qxF -- "$2"; }
unnote() {
    unnote_left=$(fact "$1" | grep -vxF -- "$2" || :)
    if [ -n "$unnote_left" ]; then remember "$1" "$unnote_left"; else forget "$1"; fi
}

# other_unit_of user|group NAME: another unit on this host that runs under this account, or is about to.
other_unit_of() {
    other_name=$(other_units_with "$1" "$2" | head -n 1)
    if [ -n "$other_name" ]; then
        printf '%s' "${other_name% *}"
        return 0
    fi
    for other_facts in "$FACTS_ROOT"/*/; do
        other_facts=${other_facts%/}
        [ "$other_facts" = "$FACTS" ] || [ "$(cat "$other_facts/account.$1" 2>/dev/null)" != "$2" ] || {
            printf '%s' "${other_facts##*/}"
            return 0
        }
    done
}

# retire_accounts USER GROUP: removes the accounts that earlier runs made, all but these.
retire_accounts() {
    for retire_name in $(fact account.user-made); do
        [ "$retire_name" = "$1" ] || retire user "$retire_name"
    done
    for retire_name in $(fact account.group-made); do
        [ "$retire_name" = "$2" ] || retire group "$retire_name"
    done
}

# retire user|group NAME: one that another unit uses goes over to that unit's facts.
retire() {
    retire_heir=$(other_unit_of "$1" "$2")
    if [ -n "$retire_heir" ]; then
        [ ! -d "$FACTS_ROOT/$retire_heir" ] || hand_over "$1" "$2" "$FACTS_ROOT/$retire_heir"
        log "the $1 $2 stays: $retire_heir.service runs under it"
    elif [ "$1" = user ] && getent passwd "$2" >/dev/null; then
        close_data_dirs %u "$(account_number passwd "$2")"
        remove_user "$2"
    elif [ "$1" = group ] && getent group "$2" >/dev/null; then
        remove_group "$2"
    fi
    unnote "account.$1-made" "$2"
}

# hand_over user|group NAME FACTS: so that it is removed with the last unit that uses it.
hand_over() {
    hand_own=$FACTS FACTS=$3
    note "account.$1-made" "$2"
    FACTS=$hand_own
}

# close_data_dirs FORMAT NUMBER: a data directory that stays is root's alone, because the next account that is made
# may get the number of the one that goes.
close_data_dirs() {
    for close_dir in $(fact account.data-dirs) "$arg_data_dir"; do
        { [ -d "$close_dir" ] && [ ! -L "$close_dir" ] && [ "$(stat -c "$1" "$close_dir")" = "$2" ]; } || continue
        if [ "$1" = %u ]; then chown root:root "$close_dir"; else chgrp root "$close_dir"; fi
        chmod go-rwx "$close_dir"
        log "$close_dir now belongs to root: its owner's account is removed"
    done
}

# remove_user NAME: not its group, which userdel removes too when it has the same name.
remove_user() {
    if getent group "$1" >/dev/null && ! is_noted account.group-made "$1"; then
        usermod -g "$(getent group nogroup nobody | head -n 1 | cut -d : -f 1)" "$1"
    fi
    remove_said=$(userdel "$1" 2>&1) || fail "user: $1 could not be removed: $remove_said. End its processes, then run again"
    log "removed the user $1"
}

remove_group() {
    remove_primary=$(getent passwd | awk -F: -v gid="$(account_number group "$1")" '$4 == gid { print $1; exit }')
    if [ -n "$remove_primary" ]; then
        log "the group $1 stays: it is the user $remove_primary's"
        return 0
    fi
    close_data_dirs %g "$(account_number group "$1")"
    remove_said=$(groupdel "$1" 2>&1) || fail "group: $1 could not be removed: $remove_said"
    log "removed the group $1"
}
