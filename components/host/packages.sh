# shellcheck shell=sh disable=SC2154
# The package manager of the host: apt-get, dnf, yum or zypper behind four functions.

PACKAGE_LIMIT=900
# A killed package manager leaves half-installed packages, so it may continue after the step, with the lock.
progress_if_cut=stays

# find_packager: sets $packager to apt-get, dnf, yum or zypper, and $os_name, $os_family; refuses another system.
find_packager() {
    os_id=$(os_release ID) os_name=$(os_release PRETTY_NAME) os_family=
    for os_word in $os_id $(os_release ID_LIKE); do
        case $os_word in
            debian | ubuntu) os_family=debian && break ;;
            rhel | centos | fedora | amzn | rocky | almalinux | ol) os_family=redhat && break ;;
            suse | opensuse | opensuse-leap | opensuse-tumbleweed | sles) os_family=suse && break ;;
        esac
    done
    case $os_family in
        debian) packagers=apt-get ;;
        redhat) packagers='dnf yum' ;;
        suse) packagers=zypper ;;
        *) fail "host: '${os_name:-$os_id}' is not supported. Use Debian, Ubuntu, RHEL and its derivatives, CentOS 7, Fedora, Amazon Linux, openSUSE or SLES" ;;
    esac
    for packager in $packagers; do
        if command -v "$packager" >/dev/null; then return 0; fi
    done
    fail "host: ${os_name:-$os_id} has no $packagers. Install it, or install what prepare needs by hand"
}

os_release() (
    [ -r /etc/os-release ] || exit 0
    ID='' ID_LIKE='' PRETTY_NAME=''
    # shellcheck disable=SC1091
    . /etc/os-release
    case $1 in ID) printf '%s' "$ID" ;; ID_LIKE) printf '%s' "$ID_LIKE" ;; *) printf '%s' "$PRETTY_NAME" ;; esac
)

# package_exists NAME: can it be installed from the host's sources?
package_exists() {
    case $packager in
        apt-get) apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]' ;;
        zypper) zypper -n -q search --match-exact --type package "$1" >/dev/null 2>&1 ;;
        *) "$packager" -q list "$1" >/dev/null 2>&1 ;;
    esac
}

package_installed() {
    case $packager in
        apt-get) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$' ;;
        *) rpm -q "$1" >/dev/null 2>&1 ;;
    esac
}

# package_files NAME: the paths that an installed package contains.
package_files() {
    case $packager in
        apt-get) dpkg-query -L "$1" 2>/dev/null || : ;;
        *) rpm -ql "$1" 2>/dev/null || : ;;
    esac
}

# refresh_packages: updates the package lists once per run; dnf and yum do that themselves.
refresh_packages() {
    [ -z "${packages_fresh:-}" ] || return 0
    packages_fresh=yes
    case $packager in
        apt-get)
            wait_for_packager /var/lib/apt/lists/lock
            refresh_command=apt_update
            ;;
        zypper)
            wait_for_packager /run/zypp.pid
            refresh_command='zypper -n -q refresh'
            ;;
        *) return 0 ;;
    esac
    # shellcheck disable=SC2086
    run_with_progress "asking for the list of packages ($packager)" "$PACKAGE_LIMIT" $refresh_command ||
        fail "host: $packager could not fetch the list of packages (its last lines are above). Make its package sources reachable, or install what is missing by hand"
}

# apt_update: apt-get ends with 0 when a source or a proxy could not be reached; the first such line is kept.
apt_update() {
    apt_status=0
    apt-get -q update >"$temp_dir/apt-update" 2>&1 || apt_status=$?
    cat "$temp_dir/apt-update"
    return "$apt_status"
}

# refuse_unfetched: a package may seem missing because its list could not be fetched.
refuse_unfetched() {
    unfetched=$(sed -n 's/^[WE]: \(Failed to fetch .*\)/\1/p' "$temp_dir/apt-update" 2>/dev/null | head -n 1)
    [ -z "$unfetched" ] || fail "host: apt could not fetch its lists: $unfetched. Correct the package sources, or the proxy in /etc/apt/apt.conf.d, then run again."
}

# complete_packages: an interrupted dpkg prevents every installation.
complete_packages() {
    for complete_file in /var/lib/dpkg/updates/[0-9]*; do break; done
    [ -e "$complete_file" ] || return 0
    log "dpkg was interrupted earlier: completing that"
    run_with_progress "completing (dpkg --configure -a)" "$PACKAGE_LIMIT" env DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a ||
        fail "host: dpkg was interrupted earlier and can't complete that (its last lines are above). Repair the package on the host, then run again."
}

# install_packages NAME …
install_packages() {
    log "installing $*"
    case $packager in
        apt-get)
            wait_for_packager /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock
            complete_packages
            run_with_progress "installing (apt-get)" "$PACKAGE_LIMIT" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
                --no-install-recommends -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=60 install "$@" ||
                fail "host: apt-get could not install $* (its last lines are above). Correct that on the host, or install them by hand"
            ;;
        zypper)
            wait_for_packager /run/zypp.pid
            run_with_progress "installing (zypper)" "$PACKAGE_LIMIT" zypper_install "$@" ||
                fail "host: zypper could not install $* (its last lines are above). Correct that on the host, or install them by hand"
            ;;
        *)
            wait_for_packager /var/run/yum.pid /var/lib/rpm/.rpm.lock
            run_with_progress "installing ($packager)" "$PACKAGE_LIMIT" "$packager" -q -y install "$@" ||
                fail "host: $packager could not install $* (its last lines are above). Correct that on the host, or install them by hand"
            ;;
    esac
}

# zypper_install NAME …: 100 to 103 and 106 are remarks (patches wait, a restart is due, another source is out of reach).
zypper_install() {
    zypper_status=0
    ZYPP_LOCK_TIMEOUT=60 zypper -n -q install --no-recommends "$@" || zypper_status=$?
    case $zypper_status in 100 | 101 | 102 | 103 | 106) return 0 ;; *) return "$zypper_status" ;; esac
}

# wait_for_packager FILE …: until no other process holds one of these locks, naming it, for five minutes at most.
wait_for_packager() {
    packager_until=$(($(uptime_seconds) + 300))
    while packager_other=$(lock_owner "$@") && [ -n "$packager_other" ]; do
        [ "$(uptime_seconds)" -lt "$packager_until" ] || fail "host: $packager_other has held the package manager's lock for 5 minutes. Run again when it has ended"
        log "waiting for another package manager: $packager_other"
        sleep 5
    done
}

# lock_owner FILE …: "program (pid N)" of who holds one of these lock files.
lock_owner() {
    for owner_file in "$@"; do
        [ -e "$owner_file" ] || continue
        owner_pid=
        case $owner_file in
            *.pid) read -r owner_pid <"$owner_file" || : ;;
            *) owner_pid=$(awk -v inode=":$(stat -c %i "$owner_file")" \
                'substr($6, length($6) - length(inode) + 1) == inode { print $5; exit }' /proc/locks) ;;
        esac
        if [ -n "$owner_pid" ] && [ -r "/proc/$owner_pid/comm" ]; then
            printf '%s (pid %s)' "$(cat "/proc/$owner_pid/comm")" "$owner_pid"
            return 0
        fi
    done
}
