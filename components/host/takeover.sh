# shellcheck shell=sh disable=SC2154
# What runs on this host already: a foreign unit of this name, this server's unit under another name,
# another unit on the same data, and data that another data_dir would leave behind.

# refuse_foreign_unit: refuses a unit of this name that does not start Nexus.
refuse_foreign_unit() {
    [ "$(unit_property LoadState)" != masked ] || fail "unit: $unit.service is masked. Unmask it (systemctl unmask $unit), or set another unit"
    [ "$(unit_origin)" = other ] || return 0
    nexus_launcher "$unit" >/dev/null ||
        fail "unit: $(unit_property FragmentPath) starts another program than Nexus. Choose another unit"
}

# find_former_unit: sets $former_unit when this server ran under another unit's name before, and $former_units to all such
# names if changes of unit were cut; refuses a unit that somebody else runs on the same data.
find_former_unit() {
    former_unit='' former_units=
    other_units_with data_dir "$arg_data_dir" >"$work/others"
    while read -r former_name former_kind; do
        refuse_other_unit
        [ "$former_kind" = other ] || add_former
    done <"$work/others"
    [ -z "$former_unit$(fact service.data-dir)" ] || return 0
    for former_facts in "$FACTS_ROOT"/*/service.data-dir; do # of a change of unit that was cut
        former_name=${former_facts%/*} former_name=${former_name##*/}
        [ "$(cat "$former_facts" 2>/dev/null)" != "$arg_data_dir" ] || [ -f "$(unit_file_of "$former_name")" ] || add_former
    done
}

add_former() { former_unit=$former_name former_units="$former_units${former_units:+ }$former_name"; }

# refuse_other_database: this server has a database in another data_dir, and none in this one. A change of unit that was
# cut may have left its facts alone to tell of it.
refuse_other_database() {
    left_data=$(nexus_units | awk -F '|' -v name="${former_unit:-$unit}" '$1 == name && $2 == "ours" { print $6 }')
    left_data=${left_data:-$(fact service.data-dir)}
    [ -n "$left_data" ] && [ "$left_data" != "$(resolved "$arg_data_dir")" ] || return 0
    ! has_database || return 0
    ! has_database "$left_data" ||
        fail "data_dir: ${former_unit:-$unit}.service keeps its data in $left_data, and there is no database in $arg_data_dir. Set data_dir to $left_data, or copy the data first (systemctl stop ${former_unit:-$unit}; cp -an $left_data/. $arg_data_dir/)"
}

# later_units: what this unit became in a change of unit that failed after it had removed this one.
later_units() {
    { grep -lsxF -- "$unit" "$FACTS_ROOT"/*/service.former-unit || :; } | sed 's|.*/\([^/]*\)/service.former-unit$|\1|'
}

stop_former_units() { for former_unit in $former_units; do stop_former_unit; done; }

# stop_former_unit: stops $former_unit and copies its facts. If the step fails before the new unit is written, it starts
# the former unit again.
stop_former_unit() {
    log "$former_unit.service becomes $unit.service"
    add_to_fact service.former-unit "$former_unit"
    has_fact service.data-dir || save_fact service.data-dir "$arg_data_dir"
    note_former_root "$(unit_file_of "$former_unit")"
    case $(unit_property ActiveState "$former_unit") in
        '' | inactive | failed) ;;
        *)
            note_stopped "$former_unit"
            (select_unit "$former_unit" && stop_service)
            ;;
    esac
    take_lists "$FACTS_ROOT/$former_unit"
    for former_fact in "$FACTS_ROOT/$former_unit"/*; do
        former_name=${former_fact##*/}
        case $former_name in prepare.selinux-rule | service.left-stopped) continue ;; esac # take_lists has kept the rule
        [ ! -f "$former_fact" ] || has_fact "$former_name" || save_fact "$former_name" "$(cat "$former_fact")"
    done
    remove_facts service.starting
}

# remove_former_units: called when the new unit is written. The fact service.former-unit stays until it runs.
remove_former_units() {
    for former_unit in $former_units; do
        rm -rf "${FACTS_ROOT:?}/$former_unit"
        [ ! -f "$(unit_file_of "$former_unit")" ] || remove_unit "$former_unit"
    done
}

# remove_former_rest: what a former unit or install_root has left on the host and this server does not use.
remove_former_rest() {
    remove_former_root
    remove_former_access
}

# adopt_unit: stops a service that was set up by hand, whose data the new unit uses.
adopt_unit() {
    [ "$(unit_origin)" = other ] || return 0
    other_unit_file=$(unit_property FragmentPath)
    refuse_other_data "$(nexus_launcher "$unit")"
    refuse_unit_database
    other_drop_ins=$(drop_ins | tr '\n' ' ')
    [ -z "$other_drop_ins" ] ||
        fail "unit: drop-ins change $unit.service, and would change the unit that replaces it: ${other_drop_ins% }. Move them away, run systemctl daemon-reload, then run pulumi up. Afterwards you can put back the drop-ins that the new unit needs"
    log "taking over $other_unit_file"
    case $(unit_property ActiveState) in
        inactive | failed) ;;
        *)
            mkdir -p "$(dirname "$(own_drop_in)")"
            printf '[Service]\nTimeoutStopSec=300\n' >"$(own_drop_in)"
            systemctl daemon-reload
            note_stopped "$unit"
            stop_service
            rm "$(own_drop_in)"
            rmdir "$(dirname "$(own_drop_in)")" 2>/dev/null || :
            ;;
    esac
    save_fact service.unit-mode "0$(stat -Lc %a "$other_unit_file")"
    save_fact service.unit-before "$(cat "$other_unit_file")"
    copy_preferences
}

# refuse_other_data LAUNCHER: would Nexus start on another data directory than the one it had?
refuse_other_data() {
    other_data=$(launcher_data_dir "$unit" "$1")
    { [ -n "$other_data" ] && has_database "$other_data" && [ "$other_data" != "$(resolved "$arg_data_dir")" ]; } || return 0
    fail "data_dir: the existing installation keeps its data in $other_data, not in $arg_data_dir. Set data_dir to $other_data"
}

# refuse_unit_database: without a connection that only the replaced unit contains, Nexus would start on an empty database.
refuse_unit_database() {
    case $NEWLINE$arg_property in *"${NEWLINE}nexus.datastore.nexus.jdbcUrl="*) return 0 ;; esac
    [ -z "$(written_jdbc_url)" ] || return 0
    {
        unit_property Environment
        unit_property EnvironmentFiles | sed 's/^-\{0,1\}\(.*\) (ignore_errors=[a-z]*)$/\1/' | while read -r other_environment; do
            grep -hsv '^[[:space:]]*[#;]' "$other_environment" || :
        done
    } | grep -q NEXUS_DATASTORE_NEXUS_JDBCURL= || return 0
    fail "unit: $unit.service gives Nexus the connection to its database in environment variables (NEXUS_DATASTORE_…), which the unit that replaces it does not have. Put the connection (jdbcUrl, username, password) into $arg_data_dir/etc/fabric/nexus-store.properties"
}

# A licence that was installed by hand lies in the user's own Java preferences, which the unit no longer shows.
copy_preferences() {
    other_home=$(getent passwd "$arg_user" | cut -d : -f 6)
    [ -d "$other_home/.java/.userPrefs" ] && [ ! -e "$arg_data_dir/javaprefs" ] || return 0
    rm -rf "$arg_data_dir/javaprefs.part"
    mkdir "$arg_data_dir/javaprefs.part"
    cp -R "$other_home/.java" "$arg_data_dir/javaprefs.part/"
    chown -R -h "$arg_user:$arg_group" "$arg_data_dir/javaprefs.part"
    mv -T "$arg_data_dir/javaprefs.part" "$arg_data_dir/javaprefs"
}
