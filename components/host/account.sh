# shellcheck shell=sh disable=SC2154
# account: the system user and group that Nexus runs as, and the data directory that belongs to them.

step() {
    parse "unit user group data-dir" "purge-data" "" "$@"
    take_lock account
    claim_step account
    check_word user "$arg_user"
    check_word group "$arg_group"
    check_path data_dir "$arg_data_dir"
    case $arg_purge_data in '' | yes | no) ;; *) fail "purge_data: must be yes or no, not '$arg_purge_data'" ;; esac
    case $arg_user in root | 0) fail "user: Nexus must not run as root. Choose another user" ;; esac
    if [ "$verb" = delete ]; then
        remove_account
    else
        refuse_unmounted
        refuse_shared_data
        provide_group
        provide_user
        provide_data_dir
    fi
}

# refuse_shared_data: one server's data directory may not hold another's.
refuse_shared_data() {
    shared=$(other_data_dir "$(real_path "$arg_data_dir")")
    [ -z "$shared" ] || fail "data_dir: of $arg_data_dir and ${shared% *}, the data directory of ${shared##* }.service, one lies in the other. Give each server a data_dir of its own"
}

# other_data_dir REAL_PATH: "PATH UNIT" of another unit's data directory in it or around it; one that is the same is
# left to the service step, which knows whether that unit is being replaced.
other_data_dir() {
    for other_fact in "$FACTS_ROOT"/*/account.data-dir; do
        if [ ! -f "$other_fact" ] || [ "$other_fact" = "$FACTS/account.data-dir" ]; then continue; fi
        other_dir=$(real_path "$(cat "$other_fact")")
        [ "$other_dir" != "$1" ] || continue
        if is_within "$other_dir" "$1" || is_within "$1" "$other_dir"; then
            other_fact=${other_fact%/*}
            printf '%s %s' "$other_dir" "${other_fact##*/}"
            return 0
        fi
    done
}

provide_group() {
    save_fact account.group "$arg_group"
    if getent group "$arg_group" >/dev/null; then
        log "group $arg_group is there"
        return 0
    fi
    add_to_fact account.group-made "$arg_group"
    make_account groupadd -r "$arg_group"
    log "made the system group $arg_group"
}

provide_user() {
    save_fact account.user "$arg_user"
    if getent passwd "$arg_user" >/dev/null; then
        [ "$(id -u "$arg_user")" -ne 0 ] || fail "user: '$arg_user' has the uid 0 of root. Choose another user"
        log "user $arg_user is there"
        return 0
    fi
    user_shell=$(command -v nologin || echo /bin/false)
    add_to_fact account.user-made "$arg_user"
    make_account useradd -r -M -g "$arg_group" -d "$arg_data_dir" -s "$user_shell" "$arg_user"
    log "made the system user $arg_user"
}

# make_account COMMAND …: its refusal as one sentence that names the argument.
make_account() {
    make_kind=${1%add}
    make_said=$("$@" 2>&1) && return 0
    eval "make_name=\$arg_$make_kind"
    remove_from_fact "account.$make_kind-made" "$make_name"
    fail "$make_kind: the host could not make the $make_kind $make_name: $make_said. Choose another name, or create the $make_kind by hand"
}

provide_data_dir() {
    [ -d "$arg_data_dir" ] || mkdir -p "$(dirname "$arg_data_dir")" ||
        fail "data_dir: $arg_data_dir could not be created (the reason is above). Make its file system writable, or choose another data_dir"
    [ ! -L "$arg_data_dir" ] || fail "data_dir: $arg_data_dir is a symbolic link. Give the directory it leads to"
    require_nexus_data
    save_fact account.data-dir "$arg_data_dir"
    add_to_fact account.data-dirs "$arg_data_dir"
    if [ ! -e "$arg_data_dir" ]; then
        own_dir "$arg_data_dir" "$arg_user:$arg_group" 0750
        log "made the data directory $arg_data_dir"
        return 0
    fi
    [ -d "$arg_data_dir" ] || fail "data_dir: $arg_data_dir is not a directory. Move it away or choose another data_dir"
    if ! has_fact account.chown-pending && [ -z "$(foreign_files)" ]; then
        log "data directory $arg_data_dir belongs to $arg_user:$arg_group"
        return 0
    fi
    if changes_version; then
        save_fact account.chown-pending "$arg_data_dir"
        log "data directory $arg_data_dir is in a change of version that was cut: the service step gives it to $arg_user:$arg_group"
        return 0
    fi
    provide_process=$(foreign_process all)
    if [ -n "$provide_process" ]; then
        save_fact account.chown-pending "$arg_data_dir"
        log "data directory $arg_data_dir is in use by $provide_process of another account: the service step gives it to $arg_user:$arg_group"
        return 0
    fi
    log "data directory $arg_data_dir holds files of another owner: giving all of it to $arg_user:$arg_group"
    change_owner
}

# require_nexus_data: refuse a directory with foreign files that Nexus did not write: a change of owner would include them.
require_nexus_data() {
    if [ ! -d "$arg_data_dir" ] || fact_contains account.data-dirs "$arg_data_dir" || [ -z "$(foreign_files)" ]; then
        return 0
    fi
    for data_entry in db blobs instances keystores etc/nexus.properties etc/fabric etc/jetty etc/ssl/keystore.jks \
        etc/ssl/keystore.jks.next log/nexus.log; do
        [ ! -e "$arg_data_dir/$data_entry" ] || return 0
    done
    # A server that was destroyed before its first start has left etc/ssl.
    data_entry=$(find "$arg_data_dir" -mindepth 1 -path "$arg_data_dir/lost+found" -prune -o \
        ! -path "$arg_data_dir/etc" ! -path "$arg_data_dir/etc/ssl" -print | head -n 1)
    [ -z "$data_entry" ] ||
        fail "data_dir: $arg_data_dir contains $data_entry and no data of Nexus. Choose an empty or a new directory"
}

# changes_version: was a change of version of this data directory interrupted? Its rollback needs the owner of that time.
changes_version() {
    has_fact service.upgrade || grep -qsxF "data-dir $arg_data_dir" "$FACTS_ROOT"/*/service.upgrade
}

# Files of another owner. Two levels suffice, because unpacking or restoring a data directory writes all of it.
foreign_files() {
    find "$arg_data_dir" -maxdepth 2 \( ! -user "$arg_user" -o ! -group "$arg_group" \) | head -n 1
}

remove_account() {
    if is_by_hand; then
        log "$unit.service was set up by hand: its accounts and its data directory $arg_data_dir stay"
    else
        ! runs_nexus || fail "user: $unit.service still runs. Remove the service first"
        forget_cut_changes
        remove_data
        remove_former_accounts '' ''
        hand_over_data_dirs
    fi
    remove_facts account.user account.group account.user-made account.group-made account.chown-pending account.outside-given \
        account.data-dir account.data-dirs
}

remove_data() {
    if [ "$arg_purge_data" = yes ] && [ -e "$arg_data_dir" ]; then
        purge_data
    elif [ -d "$arg_data_dir" ]; then
        log "data directory $arg_data_dir stays"
    fi
}

# purge_data: all of the data directory; the mount point of a disk of its own stays, emptied.
purge_data() {
    [ ! -L "$arg_data_dir" ] || fail "purge_data: $arg_data_dir is a symbolic link. Remove the link and its target by hand, or set purge_data to false"
    purge_real=$(real_path "$arg_data_dir")
    check_path data_dir "$purge_real"
    purge_below=$(mounts below "$purge_real" | tr '\n' ' ')
    [ -z "$purge_below" ] ||
        fail "purge_data: other file systems are mounted in $arg_data_dir: ${purge_below% }. Nothing was removed. Unmount them, or set purge_data to false"
    purge_unit=$(other_units_with data_dir "$arg_data_dir" | head -n 1)
    [ -z "$purge_unit" ] || refuse_purge "${purge_unit% *}"
    for purge_fact in "$FACTS_ROOT"/*/account.data-dir; do
        if [ ! -f "$purge_fact" ] || [ "$purge_fact" = "$FACTS/account.data-dir" ]; then continue; fi
        purge_other=${purge_fact%/*}
        ! is_within "$(real_path "$(cat "$purge_fact")")" "$purge_real" ||
            refuse_purge "${purge_other##*/}"
    done
    log "purge_data: removing $arg_data_dir"
    if [ -n "$(mounts at "$purge_real")" ]; then
        run_with_progress "emptying $arg_data_dir" 86400 find "$purge_real" -xdev -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} + ||
            fail "purge_data: not all of $arg_data_dir could be removed (the reason is above). Correct that and run again"
        chown root:root "$purge_real"
        log "$arg_data_dir is empty and stays: it is the mount point of a file system of its own"
    else
        run_with_progress "removing $arg_data_dir" 86400 rm -rf "$purge_real" ||
            fail "purge_data: not all of $arg_data_dir could be removed (the reason is above). Correct that and run again"
    fi
}

refuse_purge() { fail "purge_data: $1.service has its data in $arg_data_dir too. Nothing was removed. Remove that server first, or set purge_data to false"; }
