# shellcheck shell=sh disable=SC2154
# service: everything that must change together: symlink, derived XML, properties, unit, start and wait.

step() {
    parse "unit version install-root data-dir user group http-port https-port heap-mb fingerprint digest start-timeout" \
        "address context-path java-home privileged-ports" property "$@"
    take_lock service
    claim_step service
    check_arguments
    install_dir=$arg_install_root/nexus-$arg_version
    if [ "$verb" = delete ]; then
        remove_service
        return 0
    fi
    check_places
    refuse_shared_root
    refuse_unmounted
    [ -x "$install_dir/bin/nexus" ] || fail "version: $install_dir/bin/nexus is missing. Set repair to a new value and run pulumi up, whose archive step unpacks it"
    [ -d "$arg_data_dir" ] || fail "data_dir: $arg_data_dir is missing. Set repair to a new value and run pulumi up, whose account step creates it"
    check_privileged_ports
    java=$(root_java "$install_dir")
    [ -x "${java:-/nowhere}/bin/java" ] || fail "java: there is no Java in '$java'. Set repair to a new value and run pulumi up, whose prepare step finds or installs it"
    work=$temp_dir left_stopped='' owner_before='' former_units=
    recall_stopped
    at_exit restart_stopped_unit
    refuse_foreign_unit
    find_former_unit
    recall_stopped
    resume_upgrade
    refuse_other_database
    plan_version
    refuse_taken_port http_port "$arg_http_port" "$arg_address"
    refuse_taken_port https_port "$arg_https_port" "$arg_address"
    adopt_unit
    stop_former_units
    finish_owner_change
    if [ -n "$from" ]; then
        owner_before=
        change_version
    else
        write_files
        bring_up
    fi
    set_admin_password
    replace_first_password
    remove_facts account.outside-given service.former-unit
    save_fact service.data-dir "$arg_data_dir"
    note_mount
    save_fact service.digest "$arg_digest"
    forget_cut_changes
    (remove_former_accounts "$arg_user" "$arg_group") || log "the former account stays until the next run"
    remove_former_rest
}

# restart_stopped_unit: a refusal must not leave the server down that this run has stopped, while its unit is as it was.
restart_stopped_unit() {
    [ -z "$owner_before" ] || restore_owner
    [ -n "$left_stopped" ] || return 0
    case $(unit_property ActiveState "$left_stopped") in
        inactive | failed) systemctl --no-block start "$left_stopped.service" ;;
    esac
    forget_stopped
}

# note_stopped UNIT: if this run fails, it starts the unit again; if it is killed, the next run does.
note_stopped() {
    left_stopped=$1
    (select_unit "$1" && save_fact service.left-stopped "$1")
}

recall_stopped() {
    for stopped_unit in "$unit" $former_units; do
        [ ! -f "$FACTS_ROOT/$stopped_unit/service.left-stopped" ] || left_stopped=$stopped_unit
    done
}

forget_stopped() {
    remove_stopped_fact
    left_stopped=
}

remove_stopped_fact() { [ -z "${left_stopped:-}" ] || rm -f "$FACTS_ROOT/$left_stopped/service.left-stopped"; }

# forget_former_unit: the new unit is written, so a failure restores no owner and starts no stopped unit.
forget_former_unit() {
    owner_before=
    forget_stopped
}

# finish_owner_change: the change of owner that the account step left for a moment when the service is stopped. Until the
# unit names the new account, a failure gives everything back, and the service is started again.
finish_owner_change() {
    has_fact account.chown-pending || return 0
    derive_https_xml "$install_dir" /keystore "$java" x >/dev/null
    desired_properties "$install_dir" >/dev/null
    refuse_foreign_process others
    settle_pid=$(unit_property MainPID)
    case $(account_of "$settle_pid") in
        '' | 0:* | "$(owner_numbers "$owner")") ;;
        *)
            log "stopping $unit.service: its data directory is to belong to $owner"
            note_stopped "$unit"
            stop_service
            ;;
    esac
    refuse_foreign_process all
    remove_stopped_fact # with data of two owners it must not start
    if [ "$(unit_origin)" != none ] || [ -n "$former_unit" ]; then owner_before=$(stat -c %u:%g "$arg_data_dir"); fi
    log "giving $arg_data_dir to $owner"
    change_owner
}

refuse_foreign_process() {
    settle_process=$(foreign_process "$1")
    [ -z "$settle_process" ] ||
        fail "data_dir: $arg_data_dir is to belong to $owner and is in use by $settle_process of another account. End that program and run again"
}

# restore_owner: what finish_owner_change changed, for a service whose unit still names the former account.
restore_owner() {
    log "giving $arg_data_dir back to its former owner"
    save_fact account.chown-pending "$arg_data_dir"
    fact account.outside-given | while read -r outside_dir; do
        chown -R -h --from="$(account_number passwd "$arg_user")" "$owner_before" "$outside_dir" || :
    done
    chown -R -h "$owner_before" "$arg_data_dir" || left_stopped=''
}

check_arguments() {
    check_version "$arg_version"
    check_path install_root "$arg_install_root"
    check_path data_dir "$arg_data_dir"
    [ -z "$arg_java_home" ] || check_path java_home "$arg_java_home"
    check_word user "$arg_user"
    check_word group "$arg_group"
    check_port http_port "$arg_http_port"
    check_port https_port "$arg_https_port"
    [ "$arg_http_port" -ne "$arg_https_port" ] || fail "https_port: $arg_https_port is http_port too. Give each a port of its own"
    check_number heap_mb "$arg_heap_mb"
    check_number start_timeout "$arg_start_timeout"
    case ${arg_address:=0.0.0.0} in *[!0-9A-Za-z.:-]*) fail "address: '$arg_address' is no IP address. Give one of the host's, or 0.0.0.0 for all." ;; esac
    case ${arg_context_path:=/} in
        /) ;;
        *[!A-Za-z0-9/._-]* | *//* | */ | [!/]* | */. | */.. | */./* | */../*) fail "context_path: must be a path such as /nexus, without / at its end and without . and .. as parts, of letters, digits and / . _ -, not '$arg_context_path'." ;;
    esac
    owner=$arg_user:$arg_group
    fingerprint=$(plain_fingerprint "$arg_fingerprint")
    : "${ADMIN_PASSWORD:=}" "${KEYSTORE_PASSWORD:=}"
}

# --- the existing installation --------------------------------------------------------------------------------------

# jdbc_url [DATA_DIR]: of the external database that is configured; nothing for the database in the data directory.
jdbc_url() {
    written_jdbc_url "$@"
    unit_property Environment | sed -n 's/.*NEXUS_DATASTORE_NEXUS_JDBCURL=\([^ "]*\).*/\1/p'
}

# written_jdbc_url [DATA_DIR]: that of its files alone, without the environment of the unit.
written_jdbc_url() {
    jdbc_key='^[[:space:]]*\(nexus\.datastore\.nexus\.\)\{0,1\}jdbcUrl[[:space:]]*[=:[:space:]][[:space:]]*'
    for jdbc_file in etc/fabric/nexus-store.properties etc/nexus.properties; do
        sed -n "s/$jdbc_key//p" "${1:-$arg_data_dir}/$jdbc_file" 2>/dev/null | tail -n 1
    done
}

# database_elsewhere [DATA_DIR]: is there a database outside of <data_dir>/db?
# shellcheck disable=SC2016
database_elsewhere() { jdbc_url "$@" | grep -vF -e '${karaf.data}/db/' -e "${1:-$arg_data_dir}/db/" | grep -q .; }

# has_database [DATA_DIR]: directories alone, such as a disk's lost+found, are none.
has_database() {
    [ -n "$(find "${1:-$arg_data_dir}/db/" -name lost+found -prune -o ! -type d -print 2>/dev/null | head -n 1)" ] ||
        database_elsewhere "$@"
}

version_record() { printf '%s/etc/nexus-registry.version' "$arg_data_dir"; }

record_version() {
    printf '%s\n' "$arg_version" >"$work/version"
    same_file "$(version_record)" "$owner" 0640 <"$work/version" || put_file "$(version_record)" "$owner" 0640 <"$work/version"
}

# A version, as a basic regular expression.
VERSION='3\.[0-9]\{1,\}\.[0-9]\{1,\}-[0-9]\{1,\}'

# last_version: which Nexus ran on this data last: our record, its logs, or the program that the unit starts. Record and
# logs belong to the service's account, and the version becomes part of paths: what is no version is left out.
last_version() {
    last_said=
    [ ! -f "$(version_record)" ] || last_said=$(sed -n "1s/^\($VERSION\)\$/\1/p" "$(version_record)")
    [ -n "$last_said" ] || last_said=$(last_logged)
    if [ -z "$last_said" ] && last_start=$(nexus_launcher "$unit"); then last_said=$(launcher_version "$last_start"); fi
    printf '%s' "$last_said"
}

# last_logged: the version of the last start in nexus.log or, if it has none, in the newest rotated file that has one.
last_logged() {
    {
        find "$arg_data_dir/log/nexus.log" -type f 2>/dev/null || :
        find "$arg_data_dir/log/" -type f -name 'nexus*.log*' ! -name nexus.log -exec stat -c '%Y %n' {} + 2>/dev/null | sort -rn | cut -d ' ' -f 2-
    } | while IFS= read -r last_file; do
        gzip -cdf "$last_file" 2>/dev/null | sed -n 's/^Started Sonatype Nexus [A-Z]* \('"$VERSION"'\).*/\1/p' | tail -n 1 | grep . || continue
        break
    done
}

# --- what is written --------------------------------------------------------------------------------------------

# update_file PATH OWNER MODE <content: a change is remembered until a start has taken it in, however this run ends.
update_file() {
    cat >"$work/update"
    if same_file "$1" "$2" "$3" <"$work/update"; then return 0; fi
    if [ -f "$1" ] && [ ! -L "$1" ] && cmp -s "$work/update" "$1"; then
        put_file "$1" "$2" "$3" <"$work/update"
        log "set owner and mode of $1"
        return 0
    fi
    mark_pending "$1"
    put_file "$1" "$2" "$3" <"$work/update"
    log "wrote $1"
}

write_files() {
    for part in etc etc/jetty etc/ssl log tmp instances; do own_dir "$arg_data_dir/$part" "$owner" 0750; done
    derive_https_xml "$install_dir" "$arg_data_dir/etc/ssl/keystore.jks" "$java" "$KEYSTORE_PASSWORD" >"$work/https.xml"
    update_file "$arg_data_dir/etc/jetty/jetty-https.xml" "$owner" 0600 <"$work/https.xml"
    write_properties "$install_dir" "$owner"
    write_rc "$install_dir"
    write_symlink
    write_unit "$install_dir" "$java"
}

# --- up ---------------------------------------------------------------------------------------------------------

bring_up() {
    nexus_log=$arg_data_dir/log/nexus.log log_before=old last_code=
    if ! unit_is active; then
        log "starting $unit.service"
        start_now
    elif has_fact service.pending && start_in_progress; then
        log "waiting for the start of $unit.service that an earlier run began"
        await_running_start
        record_start
    elif has_fact service.pending; then
        log "restarting $unit.service: changed since its start: $(fact service.pending)"
        restart_now
    else
        start_began=$(uptime_seconds)
        await_ready
        await_certificate 20 || { log "restarting $unit.service: it does not show the new certificate" && restart_now; }
        log "$unit.service runs, nothing needs a restart"
    fi
}

restart_now() {
    stop_service
    start_now
}

start_now() {
    [ ! -f "$arg_data_dir/etc/ssl/keystore.jks.next" ] ||
        mv -f "$arg_data_dir/etc/ssl/keystore.jks.next" "$arg_data_dir/etc/ssl/keystore.jks"
    [ -f "$arg_data_dir/etc/ssl/keystore.jks" ] || fail "keystore: $arg_data_dir/etc/ssl/keystore.jks is missing. Set repair to a new value and run pulumi up, whose keystore step writes it"
    provide_first_password
    start_service
    record_start
}

record_start() {
    save_fact service.certificate "$fingerprint"
    remove_facts service.pending service.starting
}

# --- away -------------------------------------------------------------------------------------------------------

# The data directory stays, less the derived file that holds the keystore's password, and the keystores of copies.
remove_service() {
    former_units=$(later_units)
    former_unit=${former_units##*"$NEWLINE"}
    if [ -d "$arg_data_dir" ]; then resume_upgrade; fi
    stop_former_units
    remove_former_units
    if [ "$(unit_origin)" = ours ]; then
        stop_service
        remove_unit "$unit"
    fi
    remove_derived_files
    remove_former_rest
    remove_facts service.pending service.starting service.certificate service.digest service.properties-keys service.first-password service.sealed \
        service.data-dir service.mount service.unit-before service.unit-mode service.former-unit service.left-stopped service.upgrade service.upgrade-unit
}
