# shellcheck shell=sh disable=SC2154
# Which units of this host start a Nexus, and what they share with this step's unit.

UNIT_MARK='# Written by nexus-registry: a change made here is set back by its next run.'
UNIT_FOLDERS='/etc/systemd/system /run/systemd/system /run/systemd/generator.late /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system'

unit_file() { unit_file_of "$unit"; }
unit_file_of() { printf '%s/%s.service' "$UNIT_DIR" "$1"; }

# unit_origin: none, ours, or other (somebody else's, also where a package put it).
unit_origin() {
    unit_path=$(unit_property FragmentPath)
    [ -n "$unit_path" ] || unit_path=$(unit_file)
    if [ ! -f "$unit_path" ]; then printf none; elif grep -qxF "$UNIT_MARK" "$unit_path"; then printf ours; else printf other; fi
}

# is_by_hand: does a unit of this name start a Nexus that was set up by hand?
is_by_hand() { [ "$(unit_origin)" = other ] && nexus_launcher "$unit" >/dev/null; }

# runs_nexus: is the unit active, and is its program Nexus?
runs_nexus() { unit_is active && nexus_launcher "$unit" >/dev/null; }

remove_unit() {
    systemctl -q disable "$1.service"
    rm -f "$(unit_file_of "$1")"
    systemctl daemon-reload
    systemctl reset-failed "$1.service" 2>/dev/null || :
    log "stopped and removed $1.service"
}

# remove_failed_service: what the service step has left that never succeeded. Its resource is not in the state then, so
# no delete of its own removes it.
remove_failed_service() {
    ! has_fact service.digest || return 0
    ! has_fact service.upgrade ||
        fail "version: the upgrade of $unit.service was interrupted. Run pulumi up first, which completes it or rolls it back"
    if [ "$(unit_origin)" = ours ]; then
        run_with_progress "stopping $unit.service" 400 systemctl stop "$unit.service" ||
            fail "host: $unit.service does not stop (the reason is above). Look at journalctl -u $unit"
        remove_unit "$unit"
        restore_unit
    fi
    # Where the step refused what another unit has, these files are that unit's.
    is_by_hand || [ -n "$(other_units_with data_dir "$arg_data_dir")$(other_units_with install_root "$arg_install_root")" ] ||
        remove_derived_files
    for failed_fact in "$FACTS"/service.*; do
        case $failed_fact in */service.former-root) ;; *) rm -f "$failed_fact" ;; esac # for the delete of archive
    done
}

# restore_unit: that of a server that was set up by hand, which the service step replaced and could not start.
restore_unit() {
    { has_fact service.unit-before && [ "$(unit_origin)" = none ]; } || return 0
    restore_mode=$(fact service.unit-mode)
    fact service.unit-before | put_file "$(unit_file)" root:root "${restore_mode:-0600}"
    systemctl daemon-reload
    log "restored $(unit_file), which was replaced. It is neither enabled nor started"
}

# remove_derived_files: the link to the version, and what holds the keystore or its password.
remove_derived_files() {
    case $(readlink "$arg_install_root/nexus" 2>/dev/null) in nexus-[0-9]*) rm "$arg_install_root/nexus" ;; esac
    rm -f "$arg_data_dir/etc/jetty/jetty-https.xml" "$arg_data_dir"/upgrade-copy/*/etc/jetty/jetty-https.xml \
        "$arg_data_dir"/upgrade-copy/*/etc/ssl/keystore.jks*
}

# take_lists FACTS: adds what another unit's facts list: the accounts and data directories that it made, and the ports,
# the SELinux rule and the install_roots that remove_former_rest removes.
take_lists() {
    for list in "$1"/account.*-made "$1"/account.data-dirs "$1"/service.former-root "$1"/prepare.selinux-former; do
        [ ! -f "$list" ] || while read -r list_line; do add_to_fact "${list##*/}" "$list_line"; done <"$list"
    done
    cat "$1"/firewall.* 2>/dev/null | tr ' ' '\n' | while read -r list_line; do add_to_fact firewall.former "$list_line"; done
    [ ! -f "$1/prepare.selinux-rule" ] || add_to_fact prepare.selinux-former "$(cat "$1/prepare.selinux-rule")"
}

# forget_cut_changes: a change of unit that was interrupted has left the facts of a unit that is not there. The accounts
# that it made are this server's. The rest is removed, or it would keep accounts and directories of a server that is none.
forget_cut_changes() {
    for cut_facts in "$FACTS_ROOT"/*/*.data-dir; do
        cut_dir=${cut_facts%/*}
        if [ "$cut_dir" = "$FACTS" ] || [ "$(cat "$cut_facts" 2>/dev/null)" != "$arg_data_dir" ] ||
            has_succeeded "$cut_dir" || [ -f "$(unit_file_of "${cut_dir##*/}")" ]; then
            continue
        fi
        take_lists "$cut_dir"
        rm -rf "$cut_dir"
        log "removed the records of ${cut_dir##*/}.service: there is no such unit"
    done
}

# has_succeeded FACTS: has a service step with this unit succeeded? A change of unit copies the former unit's
# service.digest after it has saved service.former-unit, which goes when the step succeeds.
has_succeeded() { [ -f "$1/service.digest" ] && [ ! -f "$1/service.former-unit" ]; }

# nexus_units: one line for each unit of this host that starts a Nexus, running or not, this unit's included:
# NAME|KIND|USER|GROUP|INSTALL_ROOT|DATA_DIR. KIND is ours or other; a value that the unit does not tell is empty.
# INSTALL_ROOT holds nexus-<version>. Paths are resolved.
nexus_units() {
    for units_folder in $UNIT_FOLDERS; do
        units_found=$(grep -lsi nexus "$units_folder"/*.service || :) # a broken symlink beside them is an error, too
        for units_file in $units_found; do # a unit's name has no blanks
            units_name=${units_file##*/}
            units_name=${units_name%.service}
            ! is_overridden || continue
            units_target=$(readlink "$units_file" || printf '%s' "$units_name.service")
            # A symlink of another name is an alias, or masks the unit.
            [ "${units_target##*/}" = "$units_name.service" ] || continue
            case $units_name in *@) template_instances && continue ;; esac
            if grep -qxF "$UNIT_MARK" "$units_file"; then our_unit; else other_unit; fi
        done
    done
}

# is_overridden: is there a file of this unit in a folder that comes before?
is_overridden() {
    for units_before in $UNIT_FOLDERS; do
        [ "$units_before" != "$units_folder" ] || return 1
        if [ -e "$units_before/$units_name.service" ] || [ -L "$units_before/$units_name.service" ]; then return 0; fi
    done
}

# template_instances: the enabled instances of a template that have no file of their own.
template_instances() {
    units_template=$units_name
    for units_wants in $UNIT_FOLDERS; do
        for units_instance in "$units_wants"/*.wants/"$units_template"?*.service; do
            units_instance=${units_instance##*/}
            units_name=${units_instance%.service}
            case $units_name in *\**) continue ;; esac
            [ -e "$units_wants/$units_instance" ] || other_unit
        done
    done
}

our_unit() {
    units_root=$(sed -n 's|^ExecStart=\(.*\)/nexus/bin/nexus run$|\1|p' "$units_file")
    units_data=$(sed -n 's/^Environment="_JAVA_OPTIONS=.*-Dkaraf\.data=\([^ "]*\).*/\1/p' "$units_file")
    units_user=$(sed -n 's/^User=//p' "$units_file")
    units_group=$(sed -n 's/^Group=//p' "$units_file")
    print_unit ours
}

other_unit() {
    units_start=$(nexus_launcher "$units_name") || return 0
    units_user=$(unit_property User "$units_name")
    units_group=$(unit_property Group "$units_name")
    units_root=${units_start%/*/bin/nexus}
    units_data=$(launcher_data_dir "$units_name" "$units_start")
    print_unit other
}

print_unit() {
    printf '%s|%s|%s|%s|%s|%s\n' "$units_name" "$1" "$units_user" "$units_group" \
        "$(resolved "$units_root")" "$(resolved "$units_data")"
}

# resolved PATH: without links, also where its end is missing.
resolved() { [ -z "$1" ] || readlink -m "$1" 2>/dev/null || readlink -f "$1" || printf '%s' "$1"; }

# other_units_with user|group|install_root|data_dir VALUE: "NAME ours" or "NAME other" for each unit but $unit that has it.
other_units_with() {
    with_value=$2
    case $1 in install_root | data_dir) with_value=$(resolved "$2") ;; esac
    nexus_units | while IFS='|' read -r with_name with_kind with_user with_group with_install_root with_data_dir; do
        [ "$with_name" != "$unit" ] || continue
        case $1 in
            user) with_found=$with_user ;;
            group) with_found=$with_group ;;
            install_root) with_found=$with_install_root ;;
            data_dir) with_found=$with_data_dir ;;
        esac
        [ "$with_found" != "$with_value" ] || printf '%s %s\n' "$with_name" "$with_kind"
    done
}

# refuse_others_data: before a step changes what belongs to the server of another unit.
refuse_others_data() {
    other_units_with data_dir "$arg_data_dir" >"$temp_dir/others"
    while read -r former_name former_kind; do refuse_other_unit; done <"$temp_dir/others"
}

# refuse_two_changes: of unit and data_dir in one run, which is the first of the new unit. The former unit is found by its
# data directory, and its database by the unit, so the former server would keep running beside an empty new one.
refuse_two_changes() {
    { [ "$verb" = update ] && [ -n "$arg_urn" ] && ! fact_contains prepare.urns "$arg_urn"; } || return 0
    [ "$(unit_origin)" != ours ] || has_fact prepare.urns || return 0
    [ -z "$(other_units_with data_dir "$arg_data_dir" | head -n 1)" ] || return 0
    nexus_units | while IFS='|' read -r two_name two_kind _ _ _ two_data; do
        { [ "$two_kind" = ours ] && [ "$two_name" != "$unit" ]; } || continue
        grep -qsxF -- "$arg_urn" "$FACTS_ROOT/$two_name/prepare.urns" || continue
        case "$(systemctl is-enabled "$two_name.service" 2>/dev/null) $(unit_property ActiveState "$two_name")" in
            'disabled inactive' | 'disabled failed') ;;
            *) fail "unit: changes from $two_name to $unit together with data_dir, which is $two_data. Change unit in one pulumi up and data_dir in another one" ;;
        esac
    done
}

# refuse_other_unit: refuses $former_name, a unit on this data directory, unless it is this server's or is off for good.
refuse_other_unit() {
    if [ "$former_kind" = other ]; then
        refuse_unit_by_hand
    elif ! is_former; then
        fail "data_dir: $former_name.service keeps its data in $arg_data_dir, too. Give each NexusServer a data_dir of its own. A server that was renamed in the program needs an alias of its old name; a unit that is left over is removed by hand (systemctl disable --now $former_name; rm $(unit_file_of "$former_name"))"
    fi
}

# is_former: is $former_name, a unit of this program, this server's? A change of unit that was cut, and may have been
# taken back since, may have left both.
is_former() {
    ! fact_contains service.former-unit "$former_name" || return 0
    ! grep -qsxF -- "$unit" "$FACTS_ROOT/$former_name/service.former-unit" || return 0
    [ "$(unit_origin)" != ours ] && { [ "$verb" = update ] || [ ! -f "$FACTS_ROOT/$former_name/service.digest" ]; }
}

refuse_unit_by_hand() {
    hand_remedy="systemctl disable --now $former_name"
    hand_state=$(systemctl is-enabled "$former_name.service" 2>/dev/null || :)
    if [ "$hand_state" = static ]; then # The unit has no [Install], so disable has no effect. It is off if no other unit starts it.
        hand_remedy="systemctl stop $former_name; rm $(unit_property FragmentPath "$former_name"); systemctl daemon-reload"
        for hand_by in WantedBy RequiredBy TriggeredBy; do hand_state=$hand_state$(unit_property "$hand_by" "$former_name"); done
    fi
    case "$hand_state $(unit_property ActiveState "$former_name")" in
        'disabled inactive' | 'disabled failed' | 'static inactive' | 'static failed') ;;
        *) fail "data_dir: $former_name.service keeps its data in $arg_data_dir. Set unit to $former_name to take it over, or stop it for good ($hand_remedy)" ;;
    esac
}

# nexus_launcher UNIT: the bin/nexus that it starts, itself or by a script; fails when it starts something else.
nexus_launcher() {
    launcher_words=$(unit_property ExecStart "$1" | sed "s/[ ;='\"]/\\$NEWLINE/g" | grep '^/' | sort -u)
    for launcher_word in $launcher_words; do
        launcher_file=$(resolved "$launcher_word")
        case $launcher_file in */bin/nexus) printf '%s' "$launcher_file" && return 0 ;; esac
    done
    for launcher_word in $launcher_words; do
        [ "$(head -c 2 "$launcher_word" 2>/dev/null | tr -d '\000')" = '#!' ] || continue
        launcher_file=$(grep -o '/[A-Za-z0-9/._+-]*/bin/nexus' "$launcher_word" | head -n 1)
        [ -z "$launcher_file" ] || { resolved "$launcher_file" && return 0; }
    done
    return 1
}

# launcher_data_dir UNIT LAUNCHER: where the Nexus that it starts keeps its data; nothing when nothing says so.
launcher_data_dir() {
    launcher_data=$(unit_property Environment "$1" | sed -n 's/.*_JAVA_OPTIONS=[^"]*-Dkaraf\.data=\([^ "]*\).*/\1/p')
    [ -n "$launcher_data" ] ||
        launcher_data=$(sed -n 's/^-Dkaraf\.data=//p' "$2.vmoptions" 2>/dev/null | tail -n 1 | tr -d '\r')
    case $launcher_data in '' | /*) resolved "$launcher_data" ;; *) resolved "${2%/bin/nexus}/$launcher_data" ;; esac
}

# launcher_version LAUNCHER: by the name of its folder, or of what the vendor's archive has in it.
launcher_version() {
    launcher_folder=${1%/bin/nexus}
    {
        printf '%s\n' "$launcher_folder"
        find "$launcher_folder/bin" "$launcher_folder/system/org/sonatype/nexus" -maxdepth 2 2>/dev/null
    } | sed -n 's/.*[/-]\(3\.[0-9][0-9.]*-[0-9]*\)\(\.jar\)\{0,1\}$/\1/p' | head -n 1
}

# remove_former_root: what the archive step unpacked below other install_roots, once the service runs from this one.
remove_former_root() {
    fact service.former-root | while read -r former_root; do
        if [ "$former_root" = "$arg_install_root" ] || used_by_another_unit "$former_root"; then continue; fi
        for former_dir in "$former_root"/nexus-[0-9]*; do
            [ -f "$former_dir/.nexus-registry" ] || continue
            rm -rf "$former_dir"
            log "removed $former_dir: install_root is $arg_install_root now"
        done
        case $(readlink "$former_root/nexus" 2>/dev/null) in
            nexus-[0-9]*) [ -e "$former_root/nexus" ] || rm "$former_root/nexus" ;;
        esac
        rmdir "$former_root" 2>/dev/null || :
    done
    remove_facts service.former-root
}

used_by_another_unit() {
    nexus_units | awk -F '|' -v unit="$unit" -v root="$(readlink -f "$1")" '$1 != unit && $5 == root { found = 1 } END { exit !found }'
}
