# shellcheck shell=sh disable=SC2154
# prepare: checks the host, and installs what Nexus needs and is missing. It removes nothing.

step() {
    parse "unit install-root data-dir heap-mb min-disk-mb" "user group java-major java-home java-package open-firewall https-port" "" "$@"
    take_lock prepare
    claim_step prepare
    check_path install_root "$arg_install_root"
    if [ "$verb" = delete ]; then
        forget_cut_changes
        remove_facts prepare.java-home prepare.data-dir
        remove_former_access
        forget_launcher_context
        close_ports prepare ''
        log "installed packages stay"
        return 0
    fi
    check_path data_dir "$arg_data_dir"
    [ -z "$arg_java_home" ] || check_path java_home "$arg_java_home"
    check_places
    refuse_unmounted
    refuse_two_changes
    refuse_shared_root
    refuse_others_data
    [ -z "$arg_https_port" ] || check_port https_port "$arg_https_port"
    check_host
    check_memory
    check_disk install_root "$arg_install_root"
    check_disk data_dir "$arg_data_dir"
    save_fact prepare.data-dir "$arg_data_dir" # for forget_cut_changes
    find_packager
    provide_tools
    provide_java
    provide_launcher_context
    [ -z "$arg_https_port" ] || provide_open_ports prepare "$arg_https_port"
    log "the host is ready"
}

check_host() {
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) fail "host: the architecture $(uname -m) is not supported. Choose a host with x86_64 or aarch64" ;;
    esac
    [ "$(cat /proc/1/comm)" = systemd ] ||
        fail "host: process 1 is $(cat /proc/1/comm), not systemd. Choose a host on which systemd runs"
}

check_memory() {
    check_number heap_mb "$arg_heap_mb"
    memory_mb=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    [ "$arg_heap_mb" -le $((memory_mb * 2 / 3)) ] ||
        fail "heap_mb: $arg_heap_mb MB is more than two thirds of this host's $memory_mb MB. Choose at most $((memory_mb * 2 / 3)) or a larger host"
}

# check_disk ARGUMENT PATH: room on the file system of the nearest directory that is there already.
check_disk() {
    check_number min_disk_mb "$arg_min_disk_mb"
    disk_mb=$(free_mb "$(nearest_dir "$2")")
    [ "$disk_mb" -lt "$arg_min_disk_mb" ] || return 0
    if [ -d "$arg_data_dir/db" ]; then
        log "little room is left for $1 $2: $disk_mb MB, less than min_disk_mb $arg_min_disk_mb"
        return 0
    fi
    fail "min_disk_mb: $1 $2 has $disk_mb MB of free disk, less than $arg_min_disk_mb. Free space, choose another $1 or a smaller min_disk_mb"
}

provide_tools() {
    missing=
    for tool in curl tar gzip find cmp ss; do
        command -v "$tool" >/dev/null || missing="$missing $(tool_package "$tool")"
    done
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || [ -e /etc/ssl/ca-bundle.pem ] ||
        missing="$missing $(tool_package certificates)"
    if [ -z "$missing" ]; then
        log "curl, tar, gzip and CA certificates are there"
        return 0
    fi
    refresh_packages
    # shellcheck disable=SC2086
    install_packages $missing
}

tool_package() {
    case $os_family-$1 in
        *-find) printf findutils ;;
        *-cmp) printf diffutils ;;
        debian-ss) printf iproute2 ;;
        suse-ss) printf iproute2 ;;
        redhat-ss) printf iproute ;;
        suse-certificates) printf ca-certificates-mozilla ;;
        *-certificates) printf ca-certificates ;;
        *) printf '%s' "$1" ;;
    esac
}

# provide_java: finds or installs the Java that the service will use and remembers where it is.
provide_java() {
    if [ -n "$arg_java_home" ]; then
        check_java_home
        java_found=$arg_java_home
    elif [ -n "$arg_java_major" ]; then
        check_number java_major "$arg_java_major"
        install_java
    else
        [ -z "$arg_java_package" ] || fail "java_package: the archive of this version contains its Java. Leave java_package out"
        log "no Java is installed: the archive brings its own"
        remove_facts prepare.java-home
        return 0
    fi
    log "Java $(java_major "$java_found") is at $java_found"
    save_fact prepare.java-home "$java_found"
}

check_java_home() {
    java_refused=$(refusal_of_java "$arg_java_home")
    [ -z "$java_refused" ] || fail "$java_refused"
    java_is=$(java_major "$arg_java_home")
    [ -n "$java_is" ] || fail "java_home: there is no working $arg_java_home/bin/java. Install it there, or leave java_home out"
    [ -z "$arg_java_major" ] || [ "$java_is" = "$arg_java_major" ] ||
        fail "java_home: $arg_java_home is Java $java_is, and this version of Nexus needs Java $arg_java_major. Give that Java, or leave java_home out"
}

install_java() {
    if [ -z "$arg_java_package" ] || package_installed "$arg_java_package"; then
        choose_java
        [ -z "$java_found" ] || return 0
        [ -z "$java_own" ] || fail_java_package "$arg_java_package"
    fi
    refresh_packages
    for java_package in ${arg_java_package:-$(java_packages "$arg_java_major")}; do
        if package_exists "$java_package"; then
            install_packages "$java_package"
            choose_java
            [ -n "$java_found" ] || fail_java_package "$java_package"
            return 0
        fi
        java_missing="${java_missing:+$java_missing or }$java_package"
    done
    refuse_unfetched
    fail "java: $os_name has no package $java_missing. $(open_java_found)Install Java $arg_java_major by hand and name it in java_home, or name its package in java_package"
}

# choose_java: sets $java_found to that of java_package; to any, if none is given or it only depends on others.
choose_java() {
    java_found=''
    java_own=''
    rm -f "$temp_dir/open-java"
    [ -z "$arg_java_package" ] || java_found=$(find_java "$arg_java_major" "$arg_java_package")
    [ -z "$java_found" ] || return 0
    java_own=$(open_java_found)
    java_found=$(find_java "$arg_java_major")
    [ -z "$arg_java_package" ] || [ -z "$java_found" ] ||
        log "java_package: $arg_java_package contains no Java $arg_java_major of its own that root may run, so another one is used. $java_own"
}

fail_java_package() {
    fail "java_package: $1 contains no Java $arg_java_major that root may run. ${java_own:-$(open_java_found)}Name another package, or a java_home"
}

# open_java_found: the reason for which find_java left a Java out, as a sentence before another one.
open_java_found() { [ ! -f "$temp_dir/open-java" ] || printf '%s. ' "$(cat "$temp_dir/open-java")"; }

# java_packages MAJOR: its package names on this system, the best first.
java_packages() {
    case $os_family-$1 in
        debian-*) printf 'openjdk-%s-jre-headless' "$1" ;;
        redhat-8) printf 'java-1.8.0-openjdk-headless java-1.8.0-amazon-corretto' ;;
        suse-8) printf 'java-1_8_0-openjdk-headless' ;;
        suse-*) printf 'java-%s-openjdk-headless' "$1" ;;
        redhat-*) printf 'java-%s-openjdk-headless java-%s-amazon-corretto-headless' "$1" "$1" ;;
    esac
}

# find_java MAJOR [PACKAGE]: prefers a path that updates keep to one that contains the full version. Leaves out what the
# service's account can change, because root runs it here, and notes that. With PACKAGE, only a Java that it contains.
find_java() {
    java_wanted=$1 java_dashed=$1 java_package=${2:-} java_homes=
    [ "$1" != 8 ] || java_dashed=1.8.0
    [ -z "$java_package" ] || java_homes=$(package_files "$java_package" | sed -n 's|/bin/java$||p')
    set --
    for java_root in /usr/lib/jvm /usr/lib64/jvm; do
        set -- "$@" "$java_root/jre-$java_dashed-openjdk" "$java_root/jre-$java_dashed" \
            "$java_root/java-$java_wanted-openjdk"-* "$java_root/java-$java_wanted"-* "$java_root"/* "$java_root"/*/jre
    done
    for java_candidate in "$@" $java_homes; do
        { [ -x "$java_candidate/bin/java" ] && is_in_package; } || continue
        java_refused=$(refusal_of_java "$java_candidate")
        if [ -n "$java_refused" ]; then
            printf '%s' "$java_refused" >"$temp_dir/open-java"
        elif [ "$(java_major "$java_candidate")" = "$java_wanted" ]; then
            printf '%s' "$java_candidate"
            return 0
        fi
    done
}

is_in_package() {
    [ -n "$java_package" ] || return 0
    for java_home in $java_homes; do
        [ "$(readlink -f "$java_home/bin/java")" != "$(readlink -f "$java_candidate/bin/java")" ] || return 0
    done
    return 1
}
