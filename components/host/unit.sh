# shellcheck shell=sh disable=SC2154
# The unit: hardened as far as this host's systemd knows how, with the options of the launcher and the JVM.

# One line per directive: the systemd version that knows it, and the directive. Before 231 the seccomp filters and
# NoNewPrivileges stand in the way of SELinux' own change of domain, so they are left out there.
HARDENING='
219 PrivateTmp=yes
219 PrivateDevices=yes
219 CapabilityBoundingSet=
229 AmbientCapabilities=
231 NoNewPrivileges=yes
231 RestrictRealtime=yes
231 RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
231 SystemCallArchitectures=native
232 PrivateUsers=yes
232 ProtectKernelTunables=yes
232 ProtectKernelModules=yes
232 ProtectControlGroups=yes
232 RemoveIPC=yes
233 RestrictNamespaces=yes
235 LockPersonality=yes
235 KeyringMode=private
235 SystemCallFilter=@system-service
235 SystemCallFilter=~@privileged @resources
235 SystemCallErrorNumber=EPERM
242 ProtectHostname=yes
242 RestrictSUIDSGID=yes
244 ProtectKernelLogs=yes
245 ProtectClock=yes
247 ProtectProc=invisible
'

# jvm_options: absolute paths, since the data directory stands apart from the install directory.
jvm_options() {
    printf '%s ' "-Xms${arg_heap_mb}m" "-Xmx${arg_heap_mb}m" "-XX:MaxDirectMemorySize=${arg_heap_mb}m" \
        -XX:+UnlockDiagnosticVMOptions "-XX:LogFile=$arg_data_dir/log/jvm.log" \
        "-Dkaraf.data=$arg_data_dir" "-Dkaraf.log=$arg_data_dir/log" "-Dkaraf.instances=$arg_data_dir/instances" \
        "-Djava.io.tmpdir=$arg_data_dir/tmp"
    printf '%s' "-Djava.util.prefs.userRoot=$arg_data_dir/javaprefs"
}

# unit_text SYSTEMD_VERSION JAVA_HOME INSTALL_DIR
unit_text() {
    unit_type='exec'
    [ "$1" -ge 240 ] || unit_type=simple
    cat <<UNIT
$UNIT_MARK
[Unit]
Description=Sonatype Nexus Repository ($unit)
After=network-online.target nss-user-lookup.target
Wants=network-online.target
RequiresMountsFor=$(unit_places)

[Service]
Type=$unit_type
User=$arg_user
Group=$arg_group
UMask=0077
LimitNOFILE=65536
LimitCORE=0
ExecStart=$arg_install_root/nexus/bin/nexus run
SuccessExitStatus=143
TimeoutStopSec=300
# Restart after a crash or the OOM killer, not after a failed start, which needs an administrator.
Restart=on-abnormal
RestartSec=5
EnvironmentFile=-$FACTS/service.first-password
Environment=LC_ALL=$(utf8_locale)
# The launcher appends bin/nexus.vmoptions after INSTALL4J_ADD_VM_PARAMS; _JAVA_OPTIONS overrides both.
Environment="INSTALL4J_ADD_VM_PARAMS=$(jvm_options)"
Environment="_JAVA_OPTIONS=$(jvm_options)"
UNIT
    unit_java "$2" "$3"
    unit_paths "$1" "$2" "$3"
    printf '%s\n' "$HARDENING" | while read -r unit_since unit_directive; do
        { [ -n "$unit_directive" ] && [ "$1" -ge "$unit_since" ]; } || continue
        if [ "${arg_privileged_ports:-}" = yes ]; then
            # In a user namespace the capability means nothing for the host's ports.
            case $unit_directive in
                PrivateUsers=*) continue ;;
                CapabilityBoundingSet= | AmbientCapabilities=) unit_directive=${unit_directive}CAP_NET_BIND_SERVICE ;;
            esac
        fi
        printf '%s\n' "$unit_directive"
    done
    printf '\n[Install]\nWantedBy=multi-user.target\n'
}

# unit_places: what must be mounted before the service starts, with what links lead to, since systemd follows none.
unit_places() {
    {
        printf '%s\n' "$arg_install_root" "$arg_data_dir" "$(real_path "$arg_install_root")" "$(real_path "$arg_data_dir")"
        plain_links | grep -vF "$(real_path "$arg_data_dir")/"
    } | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# plain_links: where links of the data directory lead, without what systemd reads in another way, such as % and blanks.
plain_links() { data_links | grep -x '[A-Za-z0-9/._+-]*' || :; }

# utf8_locale: the one that this host has. Java takes its character set for file names and environment from it.
utf8_locale() {
    case "$(locale -a 2>/dev/null)" in
        *C.utf8* | *C.UTF-8*) printf C.UTF-8 ;;
        *en_US.utf8*) printf en_US.UTF-8 ;;
        *) printf C.UTF-8 ;;
    esac
}

# The Java of the archive is found by the launcher; another one is set in each variable that launchers read.
unit_java() {
    case $1 in
        "$2"/*) ;;
        *) printf 'Environment=%s\n' "JAVA_HOME=$1" "INSTALL4J_JAVA_HOME=$1" "INSTALL4J_JAVA_HOME_OVERRIDE=$1" ;;
    esac
}

# What may be written. ProtectSystem=strict would make / read-only, and Java takes a blob store on the same disk for
# read-only then, too: it looks at the disk's first mount. So the same care for a disk mounted below /usr or /home.
unit_paths() {
    unit_homes=yes unit_write=$arg_data_dir
    unit_mount=$(stat -c %m "$arg_data_dir")
    case $unit_mount in /usr/* | /boot/* | /etc/*) unit_write=$unit_mount ;; esac
    for unit_path in "$arg_install_root" "$3" "$2" "$2/bin/java"; do
        case $(real_path "$unit_path")/ in /home/* | /root/* | /run/user/*) unit_homes=read-only ;; esac
    done
    ! { printf '%s\n' "$(real_path "$arg_data_dir")" && data_links; } | grep -qE '^/(home|root|run/user)/' || unit_homes=no
    # A unit with a path that is missing does not start (226/NAMESPACE).
    unit_linked=$(plain_links | while read -r unit_link; do
        case $unit_link in /usr/* | /boot/* | /etc/*) [ ! -e "$unit_link" ] || printf ' %s' "$unit_link" ;; esac
    done)
    unit_paths_word=Paths
    [ "$1" -ge 231 ] || unit_paths_word=Directories
    printf '%s\n' "ProtectHome=$unit_homes" ProtectSystem=full "ReadOnly$unit_paths_word=$3" "ReadWrite$unit_paths_word=$unit_write$unit_linked"
}

check_privileged_ports() {
    [ "$arg_privileged_ports" != yes ] || [ "$(systemd_version)" -ge 229 ] ||
        fail "privileged_ports: ports below 1024 need systemd 229, and this host has $(systemd_version). Choose ports from 1024 on"
}

# drop_ins: the files that change this unit, one a line, without adopt_unit's own and those for all services. systemd also
# lists removed files until it reloads.
drop_ins() {
    unit_property DropInPaths | tr ' ' '\n' | grep -vF -e /service.d/ -e "$(own_drop_in)" | while read -r drop_in_file; do
        [ ! -f "$drop_in_file" ] || printf '%s\n' "$drop_in_file"
    done
}
own_drop_in() { printf '/run/systemd/system/%s.service.d/nexus-registry.conf' "$unit"; }

# note_former_root UNIT_FILE: the install_root that it names, if that is another one.
note_former_root() {
    former_root=$(sed -n 's|^ExecStart=\(.*\)/nexus/bin/nexus run$|\1|p' "$1" 2>/dev/null || :)
    [ -z "$former_root" ] || [ "$former_root" = "$arg_install_root" ] || add_to_fact service.former-root "$former_root"
}

# write_unit INSTALL_DIR JAVA_HOME
write_unit() {
    note_former_root "$(unit_file)"
    unit_text "$(systemd_version)" "$2" "$1" >"$work/unit"
    update_file "$(unit_file)" root:root 0644 <"$work/unit"
    forget_former_unit
    remove_former_units # Of two enabled units on the same data, a reboot would start both.
    # NeedDaemonReload does not tell of a new file that overrides the loaded one, such as a package's or a SysV script's.
    if [ "$(unit_property NeedDaemonReload)" != no ] || [ "$(unit_property LoadState)" != loaded ] ||
        [ "$(unit_property FragmentPath)" != "$(unit_file)" ]; then
        systemctl daemon-reload
    fi
    if [ "$(systemctl is-enabled "$unit.service" 2>/dev/null)" != enabled ]; then
        systemctl -q enable "$unit.service"
        log "enabled $unit.service"
    fi
    drop_ins | while read -r unit_drop_in; do log "$unit_drop_in changes $unit.service: it is not from this program, and stays"; done
}

# write_rc INSTALL_DIR: sets the user in bin/nexus.rc, if it exists: the only file that is changed in the installation.
write_rc() {
    rc_file=$1/bin/nexus.rc
    [ -f "$rc_file" ] || return 0
    { grep -v '^[# ]*run_as_user=' "$rc_file" || :; } >"$work/rc"
    printf 'run_as_user="%s"\n' "$arg_user" >>"$work/rc"
    cmp -s "$work/rc" "$rc_file" || put_file "$rc_file" root:root 0644 <"$work/rc"
}

# write_symlink: <install_root>/nexus leads to this version, swapped in one rename.
write_symlink() {
    link=$arg_install_root/nexus
    [ "$(readlink "$link" 2>/dev/null)" != "nexus-$arg_version" ] || return 0
    [ -L "$link" ] || [ ! -e "$link" ] || fail "install_root: $link exists and is not a symbolic link. Move it away"
    link_before=$(readlink -f "$link" 2>/dev/null || :)
    [ "$link_before" = "$(readlink -f "$arg_install_root/nexus-$arg_version")" ] || mark_pending "$link"
    set_symlink "$arg_version"
    log "$link leads to nexus-$arg_version"
}

set_symlink() {
    ln -sfn "nexus-$1" "$arg_install_root/.nexus-registry.link.$$" ||
        fail "install_root: $arg_install_root can't be written (the reason is above). Make it writable, or free space there, and run again"
    mv -T "$arg_install_root/.nexus-registry.link.$$" "$arg_install_root/nexus"
}
