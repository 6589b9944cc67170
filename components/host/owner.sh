# shellcheck shell=sh disable=SC2154
# The owner of the data directory, and the accounts that this unit's steps created: the facts account.user-made and
# account.group-made hold their names, account.data-dirs every data directory that was given to one, one a line, and
# account.outside-given what else was given to the account that the service has not started under yet.

# change_owner: gives all of the data directory to the service's account; can be interrupted and run again.
change_owner() {
    save_fact account.chown-pending "$arg_data_dir"
    give_outside "$(stat -c %u "$arg_data_dir")" # chown -R changes the directory itself last, so it tells after a cut, too
    run_with_progress "changing the owner of $arg_data_dir" 86400 chown -R -h "$arg_user:$arg_group" "$arg_data_dir" ||
        fail "data_dir: the owner of $arg_data_dir could not be changed (the output of chown is above). Make its file system writable, then run again"
    remove_facts account.chown-pending
}

# give_outside UID: directories outside of the data directory that belong to its former owner, such as file blob stores:
# what a link of the data directory leads to, or everything of an account that was made for this server alone.
give_outside() {
    case $1 in 0 | "$(account_number passwd "$arg_user")") return 0 ;; esac
    outside_user=$(getent passwd "$1" | cut -d : -f 1)
    outside_dirs "$1" >"$temp_dir/outside"
    while read -r outside_dir; do
        if data_links | grep -qxF -- "$outside_dir" || is_own_account "$outside_user"; then
            add_to_fact account.outside-given "$outside_dir"
            log "giving $outside_dir to $arg_user:$arg_group: it belongs to the former user ${outside_user:-$1}"
            run_with_progress "changing the owner of $outside_dir" 86400 chown -R -h --from="$1" "$arg_user:$arg_group" "$outside_dir" ||
                log "user: not all of $outside_dir could be given to $arg_user:$arg_group. If Nexus has a blob store there, give it by hand"
        else
            log "user: $outside_dir belongs to ${outside_user:-$1}. If Nexus has a blob store there, give it by hand: chown -R $arg_user:$arg_group $outside_dir"
        fi
    done <"$temp_dir/outside"
}

is_own_account() { [ -n "$1" ] && fact_contains account.user-made "$1" && [ -z "$(other_unit_of user "$1")" ]; }

# outside_dirs UID: directories of an account outside of the data directory, one a line: where links of the data directory
# lead, and others down to four levels below the root.
outside_dirs() {
    outside_data=$(real_path "$arg_data_dir")
    {
        data_links
        timeout 60 find / -maxdepth 4 \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \
            -o -path /usr -o -path "$outside_data" \) -prune -o -type d -user "$1" -prune -print 2>/dev/null || :
    } | sort -u | while read -r outside_found; do
        { [ -d "$outside_found" ] && [ "$(stat -c %u "$outside_found")" = "$1" ]; } || continue
        is_within "$outside_found" "$outside_data" || printf '%s\n' "$outside_found"
    done
}

# foreign_process all|others: "program (pid N)" of a process that has a file of the data directory open for writing under
# another account than the service's. "others" leaves out the unit's own processes. Root's processes do not count.
foreign_process() {
    foreign_wanted=$(owner_numbers "$arg_user:$arg_group")
    {
        unit_property MainPID
        find /proc/[0-9]*/fd -lname "$(real_path "$arg_data_dir")/*" -perm -200 2>/dev/null | cut -d / -f 3 | sort -u
    } | while read -r foreign_pid; do
        [ "$1" = all ] || ! is_of_unit "/proc/$foreign_pid/cgroup" || continue
        foreign_account=$(account_of "$foreign_pid")
        case $foreign_account in '' | 0:* | "$foreign_wanted") continue ;; esac
        printf '%s (pid %s)\n' "$(cat "/proc/$foreign_pid/comm" 2>/dev/null)" "$foreign_pid"
        break
    done
}

# account_of PID: uid:gid
account_of() { awk '$1 == "Uid:" { uid = $3 } $1 == "Gid:" { print uid ":" $3 }' "/proc/$1/status" 2>/dev/null || :; }

# --- accounts that a step made ----------------------------------------------------------------------------------

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

# remove_former_accounts USER GROUP: removes the accounts that earlier runs made, all but these.
remove_former_accounts() {
    for account_name in $(fact account.user-made); do
        [ "$account_name" = "$1" ] || remove_unused user "$account_name"
    done
    for account_name in $(fact account.group-made); do
        [ "$account_name" = "$2" ] || remove_unused group "$account_name"
    done
}

# remove_unused user|group NAME: one that another unit uses goes over to that unit's facts.
remove_unused() {
    remaining_unit=$(other_unit_of "$1" "$2")
    if [ -n "$remaining_unit" ]; then
        [ ! -d "$FACTS_ROOT/$remaining_unit" ] || transfer_account "$1" "$2" "$FACTS_ROOT/$remaining_unit"
        log "the $1 $2 stays: $remaining_unit.service runs under it"
    elif [ "$1" = user ] && getent passwd "$2" >/dev/null; then
        remaining_uid=$(account_number passwd "$2")
        close_data_dirs %u "$remaining_uid"
        outside_dirs "$remaining_uid" | while read -r remaining_dir; do
            log "$remaining_dir still belongs to $remaining_uid, the number of the user $2 that is removed. Give it to another user (chown -R)"
        done
        remove_user "$2"
    elif [ "$1" = group ] && getent group "$2" >/dev/null; then
        remove_primary=$(getent passwd | awk -F: -v gid="$(account_number group "$2")" '$4 == gid { print $1; exit }')
        if [ -z "$remove_primary" ]; then
            remove_group "$2"
        else
            log "the group $2 stays: it is the user $remove_primary's"
            ! fact_contains account.user-made "$remove_primary" || return 0 # It goes when that user goes.
        fi
    fi
    remove_from_fact "account.$1-made" "$2"
}

# transfer_account user|group NAME FACTS: so that it is removed with the last unit that uses it.
transfer_account() {
    hand_own=$FACTS FACTS=$3
    add_to_fact "account.$1-made" "$2"
    FACTS=$hand_own
}

# hand_over_data_dirs: to each unit whose steps made this unit's account. It gives those that stay to root when it removes
# the account.
hand_over_data_dirs() {
    hand_own=$FACTS hand_dirs=$(fact account.data-dirs)
    for hand_fact in $(grep -lsxF -e "$arg_user" "$FACTS_ROOT"/*/account.user-made) $(grep -lsxF -e "$arg_group" "$FACTS_ROOT"/*/account.group-made); do
        FACTS=${hand_fact%/*}
        [ "$FACTS" != "$hand_own" ] || continue
        for hand_dir in $hand_dirs; do [ ! -d "$hand_dir" ] || add_to_fact account.data-dirs "$hand_dir"; done
    done
    FACTS=$hand_own
}

# close_data_dirs FORMAT NUMBER: a data directory that stays is given to root, because the next account that is made
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
    if getent group "$1" >/dev/null && ! fact_contains account.group-made "$1"; then
        usermod -g "$(getent group nogroup nobody | head -n 1 | cut -d : -f 1)" "$1"
    fi
    remove_said=$(userdel "$1" 2>&1) || fail "user: $1 could not be removed: $remove_said. End its processes, then run again"
    log "removed the user $1"
}

remove_group() {
    close_data_dirs %g "$(account_number group "$1")"
    remove_said=$(groupdel "$1" 2>&1) || fail "group: $1 could not be removed: $remove_said. Remove it from its users, then run again"
    log "removed the group $1"
}
