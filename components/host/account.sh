# shellcheck shell=sh disable=SC2154
# account: the system user and group that Nexus runs as, and the data directory that belongs to them.

step() {
    parse "unit user group data-dir" "purge-data" "" "$@"
    take_lock account
    check_word user "$arg_user"
    check_word group "$arg_group"
    check_path data_dir "$arg_data_dir"
    case $arg_purge_data in '' | yes | no) ;; *) die "purge_data must be yes or no, not '$arg_purge_data'" ;; esac
    case $arg_user in root | 0) die "user: Nexus must not run as root; name another user" ;; esac
    if [ "$verb" = delete ]; then
        remove_account
    else
        provide_group
        provide_user
        provide_data_dir
    fi
}

provide_group() {
    if getent group "$arg_group" >/dev/null; then
        say "group $arg_group is there"
        return 0
    fi
    groupadd -r "$arg_group"
    remember account.group-made "$arg_group"
    say "made the system group $arg_group"
}

provide_user() {
    if getent passwd "$arg_user" >/dev/null; then
        [ "$(id -u "$arg_user")" -ne 0 ] || die "user: '$arg_user' has root's number 0; name another user"
        say "user $arg_user is there"
        return 0
    fi
    user_shell=$(command -v nologin || echo /bin/false)
    useradd -r -M -g "$arg_group" -d "$arg_data_dir" -s "$user_shell" "$arg_user"
    remember account.user-made "$arg_user"
    say "made the system user $arg_user"
}

provide_data_dir() {
    [ -d "$arg_data_dir" ] || mkdir -p "$(dirname "$arg_data_dir")"
    if [ ! -e "$arg_data_dir" ]; then
        own_dir "$arg_data_dir" "$arg_user:$arg_group" 0750
        say "made the data directory $arg_data_dir"
        return 0
    fi
    [ -d "$arg_data_dir" ] || die "data_dir: $arg_data_dir is not a directory; move it away or choose another data_dir"
    [ ! -L "$arg_data_dir" ] || die "data_dir: $arg_data_dir is a symbolic link; give the directory it leads to"
    if ! has_fact account.chown-pending && [ -z "$(strangers)" ]; then
        say "data directory $arg_data_dir belongs to $arg_user:$arg_group"
        return 0
    fi
    say "data directory $arg_data_dir holds files of another owner: giving all of it to $arg_user:$arg_group"
    remember account.chown-pending "$arg_data_dir"
    attend "changing the owner of $arg_data_dir" 86400 chown -R -h "$arg_user:$arg_group" "$arg_data_dir"
    forget account.chown-pending
}

# Files of somebody else; two levels tell, since whoever unpacks or restores a data directory writes all of it.
strangers() {
    find "$arg_data_dir" -maxdepth 2 \( ! -user "$arg_user" -o ! -group "$arg_group" \) | head -n 1
}

remove_account() {
    ! unit_is active || die "user: $unit.service still runs; remove the service first"
    if [ "$arg_purge_data" = yes ] && [ -d "$arg_data_dir" ]; then
        say "purge_data: removing $arg_data_dir"
        attend "removing $arg_data_dir" 86400 rm -rf "$arg_data_dir"
    elif [ -d "$arg_data_dir" ]; then
        say "data directory $arg_data_dir stays"
    fi
    if [ "$(fact account.user-made)" = "$arg_user" ] && getent passwd "$arg_user" >/dev/null; then
        userdel "$arg_user"
        say "removed the user $arg_user"
    fi
    if [ "$(fact account.group-made)" = "$arg_group" ] && getent group "$arg_group" >/dev/null; then
        groupdel "$arg_group"
        say "removed the group $arg_group"
    fi
    forget account.user-made account.group-made account.chown-pending
}
