# shellcheck shell=sh disable=SC2154
# archive: <install_root>/nexus-<version>, out of an archive whose checksum held. Versions stand side by side.

step() {
    parse "unit version install-root sha256" "url path" "" "$@"
    take_lock archive
    claim_step archive
    check_version "$arg_version"
    check_path install_root "$arg_install_root"
    arg_sha256=$(printf '%s' "$arg_sha256" | tr A-F a-f)
    check_hex archive_sha256 64 "$arg_sha256"
    install_dir=$arg_install_root/nexus-$arg_version
    marker=$install_dir/.nexus-registry
    if [ "$verb" = delete ]; then
        remove_version
        return 0
    fi
    [ -n "$arg_url$arg_path" ] || fail "archive_url: is required, unless archive_path is given. Give one of them"
    [ -z "$arg_url" ] || [ -z "$arg_path" ] || fail "archive_url: excludes archive_path. Give the one that holds the archive"
    clear_remains
    if needs_unpacking; then unpack_version; fi
}

# needs_unpacking: must the archive be unpacked?
needs_unpacking() {
    [ -e "$install_dir" ] || return 0
    if [ ! -f "$marker" ]; then
        [ -x "$install_dir/bin/nexus" ] || fail "install_root: $install_dir exists and contains no Nexus. Move it away"
        log "$install_dir was set up by hand: taken as it is"
        return 1
    fi
    installed_sha=$(sed -n 's/^sha256 //p' "$marker")
    if [ "$installed_sha" = "$arg_sha256" ]; then
        log "$install_dir is there, from this archive"
        return 1
    fi
    ! in_use || fail "archive_sha256: $install_dir, which the service runs from, came from an archive with the checksum $installed_sha, not $arg_sha256. Each version has one archive. Correct archive_sha256, or stop the service to replace it"
    log "$install_dir came from another archive and is not in use: replacing it"
}

# refuse_in_use: a unit that was set up by hand is not removed, so what it runs from stays.
refuse_in_use() {
    ! in_use || [ "$(unit_origin)" = other ] || fail "version: $unit.service still runs from $install_dir. Remove the service first"
}

in_use() { { unit_is active || unit_is activating; } && [ "$(readlink -f "$arg_install_root/nexus")" = "$(readlink -f "$install_dir")" ]; }

# Files of a run that was killed.
clear_remains() {
    rm -rf "$arg_install_root"/.nexus-registry.*
}

unpack_version() {
    add_to_fact service.former-root "$arg_install_root" # The service step removes it if it runs from another one.
    { mkdir -p "$arg_install_root" && work=$(mktemp -d "$arg_install_root/.nexus-registry.XXXXXX"); } ||
        fail "install_root: $arg_install_root can't be written (the reason is above). Make it writable, or free space there, and run again"
    at_exit remove_work
    fetch_archive
    check_archive
    mkdir "$work/unpacked"
    run_with_progress "unpacking" 1800 tar -xzf "$archive" -C "$work/unpacked" --no-same-owner --no-same-permissions -m ||
        fail_download "archive: $(archive_source) could not be unpacked (the output of tar is above). Give the vendor's tar.gz for Linux"
    find_top
    refuse_odd_members
    install_unpacked
    log "unpacked Nexus $arg_version into $install_dir"
}

remove_work() { rm -rf "$work"; }

# archive_source: for messages, without the URL's query, which may hold a signature.
archive_source() { printf '%s' "${arg_path:-${arg_url%%[?#]*}}"; }

fetch_archive() {
    if [ -n "$arg_path" ]; then
        [ -f "$arg_path" ] || fail "archive_path: there is no file $arg_path on the host. Copy the archive there, or correct the path"
        archive=$work/archive.tar.gz progress_size=$work/archive.tar.gz
        # Its owner could replace the file between the verification and tar.
        run_with_progress "copying $arg_path" 7200 cp --reflink=auto -- "$arg_path" "$archive" ||
            fail_download "archive_path: $arg_path could not be copied to $arg_install_root (the output of cp is above). Correct that and run again"
        unset progress_size
        return 0
    fi
    url_authority=${arg_url#*://}
    case ${url_authority%%[/?#]*} in *@*) fail "archive_url: contains a login. Give it as archive_username and archive_password" ;; esac
    case $arg_url in https://* | http://* | file:///*) ;; *) fail "archive_url: must begin with https://, http:// or file:///, not '$(archive_source)'" ;; esac
    case ${ARCHIVE_USERNAME:-} in *"$NEWLINE"?*) fail "archive_username: must be one line" ;; esac
    case ${ARCHIVE_PASSWORD:-} in *"$NEWLINE"?*) fail "archive_password: must be one line" ;; esac # curl would show the second
    archive=$work/archive.tar.gz progress_size=$work/archive.tar.gz
    log "downloading $(archive_source)"
    run_with_progress "downloading" 7200 download -gfsSL --retry 5 --retry-delay 2 --connect-timeout 20 --speed-limit 1000 --speed-time 60 \
        --proto '=https,http,file' --proto-redir '=https,http' -o "$archive" "$arg_url" ||
        fail_download "archive_url: $(archive_source) could not be downloaded (the output of curl is above). Check the address, or put the file on the host and give archive_path"
    unset progress_size
}

# download ARGUMENT …: curl, with a mirror's login out of its command line.
download() {
    if [ -z "${ARCHIVE_USERNAME:-}" ]; then
        curl "$@"
    else
        printf 'user = "%s:%s"\n' "$(curl_quoted "$ARCHIVE_USERNAME")" "$(curl_quoted "$ARCHIVE_PASSWORD")" | curl -K - "$@"
    fi
}

curl_quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# fail_download MESSAGE: reports a full disk instead, if that is the cause.
fail_download() {
    [ "$(free_mb "$arg_install_root")" -gt 0 ] ||
        fail "install_root: the disk of $arg_install_root is full. Free space there and run again"
    fail "$1"
}

check_archive() {
    found_sha=$(sha256_of "$archive")
    [ "$found_sha" = "$arg_sha256" ] ||
        fail "archive_sha256: the checksum of $(archive_source) is $found_sha, not $arg_sha256. Nothing was unpacked. Copy the checksum from the vendor's page, or use another copy of the archive"
    log "the checksum holds"
}

# find_top: the archive's own nexus-<version> folder.
find_top() {
    top=$work/unpacked/nexus-$arg_version
    [ ! -f "$top/bin/nexus" ] || return 0
    other=$(cd "$work/unpacked" && find . -mindepth 1 -maxdepth 1 -name 'nexus-*' | sed 's|^\./||' | sort | head -n 1)
    [ -n "$other" ] || fail "archive: $(archive_source) contains no nexus-$arg_version/bin/nexus. Give the vendor's tar.gz for Linux"
    fail "version: $(archive_source) contains $other, not nexus-$arg_version. Correct version or the archive"
}

# refuse_odd_members: files, directories and links that lead to these, nothing else.
refuse_odd_members() {
    odd=$(find "$top" ! -type f ! -type d ! -type l | head -n 1)
    [ -z "$odd" ] || fail "archive: $(archive_source) contains ${odd#"$work/unpacked/"}, which is no file, directory or link. Give the vendor's tar.gz"
    find "$top" -type l | while IFS= read -r odd; do
        case $(resolved "$odd") in
            "$(resolved "$top")"/*) ;;
            *) fail "archive: $(archive_source) contains a link that leads out of it, ${odd#"$work/unpacked/"}. Give the vendor's tar.gz" ;;
        esac
    done
}

# flush PATH: writes its file system to the disk, or every one with coreutils before 8.24.
flush() { sync -f "$1" 2>/dev/null || sync; }

# install_unpacked: owned and writable by root only, readable by all; then renamed.
install_unpacked() {
    chown -R -h root:root "$top"
    chmod -R a-s,u+rwX,go+rX,go-w "$top"
    printf 'sha256 %s\n' "$arg_sha256" >"$top/.nexus-registry"
    run_with_progress "writing $install_dir to the disk" 1800 flush "$top" # before the rename: a power loss leaves no empty files
    if [ -e "$install_dir" ]; then mv "$install_dir" "$work/old"; fi
    mv "$top" "$install_dir"
    if command -v selinuxenabled >/dev/null && selinuxenabled; then
        restorecon -RF "$install_dir" || :
        chcon -t bin_t "$install_dir/bin/nexus" || :
    fi
}

# remove_version: this version, and those that a change of version kept.
remove_version() {
    refuse_in_use
    if [ "$(unit_origin)" = ours ]; then remove_from_fact service.former-root "$arg_install_root"; else remove_former_root; fi
    remove_other=$(other_units_with install_root "$arg_install_root" | head -n 1)
    if [ -n "$remove_other" ]; then
        log "$arg_install_root stays: ${remove_other% *}.service runs from it"
        return 0
    fi
    clear_remains
    [ -f "$marker" ] || [ ! -d "$install_dir" ] || log "$install_dir was set up by hand and stays"
    for install_dir in "$arg_install_root"/nexus-*; do
        [ -f "$install_dir/.nexus-registry" ] || continue
        refuse_in_use
        ! in_use || continue
        rm -rf "$install_dir"
        log "removed $install_dir"
    done
    rmdir "$arg_install_root" 2>/dev/null || :
}
