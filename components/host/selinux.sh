# shellcheck shell=sh disable=SC2154
# SELinux, where it is active: systemd (init_t) may start the launcher only when that is a program (bin_t). The default
# policy says so below /opt; for another install root a rule of our own says it, which outlives a relabelling. Nexus
# itself runs unconfined then: its ports and its data directory need nothing.

selinux_active() { command -v selinuxenabled >/dev/null && selinuxenabled; }

# launcher_rule: the launchers of all versions below the install root, as a regular expression of the policy.
launcher_rule() { printf '%s/nexus-[^/]+/bin/nexus' "$(printf '%s' "$arg_install_root" | sed 's/[.+]/\\&/g')"; }

provide_launcher_context() {
    selinux_active || return 0
    [ "$(fact prepare.selinux-rule)" = "$(launcher_rule)" ] || forget_launcher_context
    case $(matchpathcon -n "$arg_install_root/nexus-0/bin/nexus") in
        *:bin_t | *:bin_t:*) ;;
        *) add_launcher_rule ;;
    esac
    for context_launcher in "$arg_install_root"/nexus-*/bin/nexus; do
        [ -f "$context_launcher" ] || continue
        matchpathcon -V "$context_launcher" >/dev/null 2>&1 || restorecon "$context_launcher"
    done
}

add_launcher_rule() {
    command -v semanage >/dev/null || install_semanage
    save_fact prepare.selinux-rule "$(launcher_rule)"
    semanage fcontext -a -t bin_t "$(launcher_rule)" ||
        fail "host: SELinux accepts no rule for $(launcher_rule) (the output of semanage is above). Add it by hand (semanage fcontext -a -t bin_t '$(launcher_rule)')"
    log "SELinux: systemd may start the launchers in $arg_install_root"
}

install_semanage() {
    refresh_packages
    for semanage_package in policycoreutils-python-utils policycoreutils-python; do
        if package_exists "$semanage_package"; then
            install_packages "$semanage_package"
            return 0
        fi
    done
    fail "install_root: SELinux is active and lets systemd start nothing in $arg_install_root. Install semanage, or choose an install_root below /opt"
}

forget_launcher_context() {
    has_fact prepare.selinux-rule || return 0
    remove_launcher_rule "$(fact prepare.selinux-rule)"
    remove_facts prepare.selinux-rule
}

remove_launcher_rule() { ! command -v semanage >/dev/null || semanage fcontext -d "$1" </dev/null || :; }

# remove_former_access: the ports and SELinux rules of units that this one replaced, less what it uses itself.
remove_former_access() {
    close_ports former ''
    fact prepare.selinux-former | while read -r former_rule; do
        if [ "$former_rule" = "$(launcher_rule)" ]; then save_fact prepare.selinux-rule "$former_rule"; else remove_launcher_rule "$former_rule"; fi
    done
    remove_facts firewall.former prepare.selinux-former
}
