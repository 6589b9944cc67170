# shellcheck shell=sh disable=SC2154
# Where install_root, data_dir and java_home may lie, once every link is resolved, and what is mounted below them.

# check_places: refuses directories that the service can't see, or that let it change its own program.
check_places() {
    place_root=$(real_path "$arg_install_root") place_data=$(real_path "$arg_data_dir")
    place_java=
    [ -z "${arg_java_home:-}" ] || place_java=$(real_path "$arg_java_home")
    check_place install_root "$arg_install_root" "$place_root"
    check_place data_dir "$arg_data_dir" "$place_data"
    [ -z "$place_java" ] || check_place java_home "$arg_java_home" "$place_java"
    data_links | grep -E '^/(tmp|var/tmp|run|dev|proc|sys)/' | head -n 1 | {
        ! read -r place_link || check_place data_dir "a symbolic link in $arg_data_dir" "$place_link"
    } || exit 1
    ! is_within "$place_root" "$place_data" ||
        fail "install_root: $arg_install_root lies in data_dir $arg_data_dir, whose owner could change the program. Choose an install_root outside of data_dir."
    ! is_within "${place_java:-/}" "$place_data" ||
        fail "java_home: $arg_java_home lies in data_dir $arg_data_dir, whose owner could change it. Choose a Java outside of data_dir."
    # findmnt also shows the mounts that the last one covers.
    case ,$(findmnt -n -o OPTIONS -T "$(nearest_dir "$place_root")" 2>/dev/null | tail -n 1), in
        *,noexec,*) fail "install_root: $arg_install_root lies on a file system that is mounted noexec. Mount it with exec, or choose another install_root." ;;
    esac
    case $place_data/ in
        "$(real_path "$arg_install_root/nexus")"/* | "$place_root"/nexus/* | "$place_root"/nexus-[0-9]*)
            fail "data_dir: $arg_data_dir lies in the program of one version, which the next version removes. Choose a data_dir outside of $arg_install_root/nexus and $arg_install_root/nexus-<version>."
            ;;
    esac
}

# nearest_dir PATH: the directory, or the nearest one above it that is there already.
nearest_dir() {
    nearest=$1
    while [ ! -d "$nearest" ]; do nearest=$(dirname "$nearest"); done
    printf '%s' "$nearest"
}

# check_place ARGUMENT PATH REAL_PATH
check_place() {
    [ "$2" = "$3" ] || check_path "$1" "$3"
    case $3/ in
        /tmp/* | /var/tmp/*) place_why='the service has a /tmp and /var/tmp of its own, and the host empties them' ;;
        /run/*) place_why='the host empties /run at every boot' ;;
        /dev/* | /proc/* | /sys/*) place_why='which is no file system for data' ;;
        *) return 0 ;;
    esac
    place_leads=
    [ "$2" = "$3" ] || place_leads=" leads to $3"
    fail "$1: $2$place_leads: $place_why. Choose another directory."
}

# data_links: where the symbolic links of the data directory lead, one a line. db, blobs or a blob store may lie elsewhere.
data_links() { find "$arg_data_dir/" -maxdepth 2 -type l -exec readlink -m {} \; 2>/dev/null || :; }

# is_within PATH FOLDER: is it the folder or in it?
is_within() { case $1/ in "$2"/*) ;; *) return 1 ;; esac }

# refuse_shared_root: the link <install_root>/nexus and a version's bin/nexus.rc are one server's. A unit on the same
# data directory is the same server, under another name.
refuse_shared_root() {
    shared_root=$(nexus_units | awk -F'|' -v unit="$unit" -v root="$(real_path "$arg_install_root")" \
        -v data="$(real_path "$arg_data_dir")" '$1 != unit && $5 == root && $6 != data { print $1; exit }')
    [ -z "$shared_root" ] ||
        fail "install_root: $shared_root.service runs from $arg_install_root. Give each server on this host an install_root of its own."
}

# note_mount: for refuse_unmounted, where the file system of the data directory is mounted, if it is not that of /.
note_mount() {
    noted_mount=$(mounts around "$(real_path "$arg_data_dir")" | awk 'length > longest { longest = length; point = $0 } END { print point }')
    if [ -n "$noted_mount" ]; then save_fact service.mount "$noted_mount"; else remove_facts service.mount; fi
}

# refuse_unmounted: without the file system that contains its data, Nexus would start on an empty directory.
refuse_unmounted() {
    for unmounted_fact in "$FACTS_ROOT"/*/service.mount; do
        [ "$(cat "${unmounted_fact%mount}data-dir" 2>/dev/null)" = "$arg_data_dir" ] || continue
        { [ ! -e "$arg_data_dir/db" ] && [ ! -e "$arg_data_dir/blobs" ]; } || continue
        unmounted_at=$(cat "$unmounted_fact")
        [ -n "$(mounts at "$unmounted_at")" ] ||
            fail "data_dir: the file system at $unmounted_at is not mounted, and $arg_data_dir contains no data. Mount it, or remove $unmounted_fact to begin with an empty server."
    done
}

# mounts MODE PATH: the mount points at ('at'), below ('below') or around ('around', without /) a real path.
mounts() {
    awk -v mode="$1" -v path="$2" '
        mode == "around" ? $5 != "/" && index(path "/", $5 "/") == 1 : mode == "at" ? $5 == path : index($5, path "/") == 1 { gsub(/\\040/, " ", $5); print $5 }' "${MOUNTS:-/proc/self/mountinfo}"
}
