# shellcheck shell=sh disable=SC2154
# service: everything that must change together: symlink, derived XML, properties, unit, start and wait.

step() {
    parse "unit version install-root data-dir user group http-port https-port heap-mb fingerprint digest timeout" \
        "address context-path java-home" property "$@"
    take_lock service
    check_arguments
    install_dir=$arg_install_root/nexus-$arg_version
    if [ "$verb" = delete ]; then
        remove_service
        return 0
    fi
    check_places
    refuse_shared_root
    [ -x "$install_dir/bin/nexus" ] || die "version: $install_dir/bin/nexus is missing; the archive step unpacks it"
    [ -d "$arg_data_dir" ] || die "data_dir: $arg_data_dir is missing; the account step makes it"
    java=$(service_java "$install_dir")
    [ -x "${java:-/nowhere}/bin/java" ] || die "java: there is no Java in '$java'; the prepare step finds or installs it"
    work=$temp_dir left_stopped='' owner_before=
    at_exit leave
    take_up
    plan_version
    take_over
    refuse_taken_port http_port "$arg_http_port" "$arg_address"
    refuse_taken_port https_port "$arg_https_port" "$arg_address"
    settle_owner
    if [ -n "$from" ]; then
        owner_before=
        change_version
    else
        write_files
        bring_up
    fi
    seal_first_password
    settle_admin_password
    remember service.digest "$arg_digest"
    (retire_accounts "$arg_user" "$arg_group") || say "the former account stays until the next run"
}

# leave: a refusal after a cut run was undone must not leave the server down that it had stopped.
leave() {
    [ -z "$owner_before" ] || restore_owner
    [ -z "$left_stopped" ] || ! unit_is inactive || systemctl --no-block start "$unit.service"
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
    [ "$arg_http_port" -ne "$arg_https_port" ] || die "https_port: $arg_https_port is http_port too; choose two ports"
    check_number heap_mb "$arg_heap_mb"
    check_number timeout "$arg_timeout"
    case ${arg_address:=0.0.0.0} in *[!0-9A-Za-z.:-]*) die "address: '$arg_address' is no IP address. Give one of the host's, or 0.0.0.0 for all." ;; esac
    case ${arg_context_path:=/} in
        /) ;;
        *[!A-Za-z0-9/._-]* | *//* | */ | [!/]*) die "context_path: '$arg_context_path' is no path such as /nexus: it begins with /, does not end in it, and holds only letters, digits and / . _ -. Correct it." ;;
    esac
    owner=$arg_user:$arg_group
    fingerprint=$(plain_fingerprint "$arg_fingerprint")
    : "${ADMIN_PASSWORD:=}" "${CURRENT_ADMIN_PASSWORD:=}" "${KEYSTORE_PASSWORD:=}"
}

# --- what is there already --------------------------------------------------------------------------------------

has_database() { [ -n "$(find "$arg_data_dir/db" -mindepth 1 2>/dev/null | head -n 1)" ] || [ -f "$arg_data_dir/etc/fabric/nexus-store.properties" ]; }

version_record() { printf '%s/etc/nexus-registry.version' "$arg_data_dir"; }

record_version() {
    printf '%s\n' "$arg_version" >"$work/version"
    same_file "$(version_record)" "$owner" 0640 <"$work/version" || put_file "$(version_record)" "$owner" 0640 <"$work/version"
}

# last_version: which Nexus ran on this data last: our record, its own log, or where a hand-made symlink leads.
last_version() {
    if [ -f "$(version_record)" ]; then
        head -n 1 "$(version_record)"
        return 0
    fi
    last_said=$(sed -n 's/^Started Sonatype Nexus [A-Z]* \([0-9][0-9.]*-[0-9]*\).*/\1/p' "$arg_data_dir/log/nexus.log" 2>/dev/null | tail -n 1)
    if [ -z "$last_said" ] && [ "$(unit_origin)" = other ]; then
        last_start=$(unit_property ExecStart | sed -n 's/.*path=\([^ ;]*\).*/\1/p')
        last_said=$(readlink -f "${last_start:-$arg_install_root/nexus/bin/nexus}" | sed -n 's|.*/nexus-\([0-9.]*-[0-9]*\)/bin/nexus$|\1|p')
    fi
    printf '%s' "$last_said"
}

# take_over: a service that somebody set up by hand is stopped, its data carried on with.
take_over() {
    [ "$(unit_origin)" = other ] || return 0
    other_unit=$(unit_property FragmentPath)
    other_start=$(unit_property ExecStart | sed -n 's/.*path=\([^ ;]*\).*/\1/p')
    refuse_other_data "$(readlink -f "${other_start:-/}")"
    say "taking over $other_unit"
    case $(unit_property ActiveState) in
        inactive | failed) ;;
        *)
            mkdir -p "/run/systemd/system/$unit.service.d"
            printf '[Service]\nTimeoutStopSec=300\n' >"/run/systemd/system/$unit.service.d/nexus-registry.conf"
            systemctl daemon-reload
            stop_service
            rm -r "/run/systemd/system/$unit.service.d/nexus-registry.conf"
            rmdir "/run/systemd/system/$unit.service.d" 2>/dev/null || :
            ;;
    esac
    remember service.unit-before "$(cat "$other_unit")"
    keep_preferences
}

# refuse_other_data LAUNCHER: would Nexus start on another data directory than the one it had?
refuse_other_data() {
    other_install=${1%/bin/nexus}
    other_data=$(sed -n 's/^-Dkaraf\.data=//p' "$other_install/bin/nexus.vmoptions" 2>/dev/null | tail -n 1 | tr -d '\r')
    [ -n "$other_data" ] || return 0
    other_data=$(cd "$other_install" && readlink -f "$other_data") || return 0
    [ ! -d "$other_data/db" ] || [ "$other_data" = "$(readlink -f "$arg_data_dir")" ] ||
        die "data_dir: the installation that is there keeps its data in $other_data, not in $arg_data_dir; set data_dir to $other_data"
}

# A licence that was installed by hand lies in the user's own Java preferences, which the unit no longer shows.
keep_preferences() {
    other_home=$(getent passwd "$arg_user" | cut -d : -f 6)
    [ -d "$other_home/.java/.userPrefs" ] && [ ! -e "$arg_data_dir/javaprefs" ] || return 0
    mkdir -p "$arg_data_dir/javaprefs"
    cp -R "$other_home/.java" "$arg_data_dir/javaprefs/"
    chown -R -h "$arg_user:$arg_group" "$arg_data_dir/javaprefs"
}

# --- what is written --------------------------------------------------------------------------------------------

# update_file PATH OWNER MODE <content: a change is remembered until a start has taken it in, however this run ends.
update_file() {
    cat >"$work/update"
    if same_file "$1" "$2" "$3" <"$work/update"; then return 0; fi
    pend "$1"
    put_file "$1" "$2" "$3" <"$work/update"
    say "wrote $1"
}

pend() {
    forget service.starting
    remember service.pending "$1"
}

write_files() {
    for part in etc etc/jetty etc/ssl log tmp instances; do own_dir "$arg_data_dir/$part" "$owner" 0750; done
    derive_https_xml "$install_dir" "$arg_data_dir/etc/ssl/keystore.jks" "$java" "$KEYSTORE_PASSWORD" >"$work/https.xml"
    update_file "$arg_data_dir/etc/jetty/jetty-https.xml" "$owner" 0600 <"$work/https.xml"
    write_properties "$install_dir" "$owner"
    write_rc "$install_dir"
    write_symlink
    write_unit "$install_dir" "$java"
    owner_before=
}

# --- up ---------------------------------------------------------------------------------------------------------

bring_up() {
    nexus_log=$arg_data_dir/log/nexus.log log_before=old last_code=
    if ! unit_is active; then
        say "starting $unit.service"
        start_now
    elif has_fact service.pending && is_begun; then
        say "waiting for the start of $unit.service that an earlier run began"
        await_begun
        started
    elif has_fact service.pending; then
        say "restarting $unit.service: changed since its start: $(fact service.pending)"
        restart_now
    elif ! has_scanner "$install_dir" && [ "$(fact service.certificate)" != "$fingerprint" ]; then
        say "restarting $unit.service: this version can't take in a new certificate while it runs"
        restart_now
    else
        start_began=$(date +%s)
        await_ready
        await_certificate 20 || { say "restarting $unit.service: it does not show the new certificate" && restart_now; }
        say "$unit.service runs, nothing needs a restart"
    fi
}

restart_now() {
    stop_service
    start_now
}

start_now() {
    [ ! -f "$arg_data_dir/etc/ssl/keystore.jks.next" ] ||
        mv -f "$arg_data_dir/etc/ssl/keystore.jks.next" "$arg_data_dir/etc/ssl/keystore.jks"
    [ -f "$arg_data_dir/etc/ssl/keystore.jks" ] || die "keystore: $arg_data_dir/etc/ssl/keystore.jks is missing; the keystore step puts it there"
    if has_database; then seal_first_password; else seed_admin_password; fi
    start_service
    started
}

started() {
    remember service.certificate "$fingerprint"
    forget service.pending service.starting
}

# --- the admin password -----------------------------------------------------------------------------------------

# Since 3.55 Nexus takes the first password from its environment, before that from a file.
takes_environment() { [ "$(version_number "$arg_version")" -ge 3055000 ]; }

seed_admin_password() {
    [ -n "$ADMIN_PASSWORD" ] || die "admin_password is empty; the first start needs one"
    if takes_environment; then
        forget service.sealed
        write_first_password "$ADMIN_PASSWORD"
    else
        printf '%s' "$ADMIN_PASSWORD" | put_file "$arg_data_dir/admin.password" "$owner" 0600
    fi
    say "first start: Nexus gets the configured admin password"
}

write_first_password() {
    printf '%s' "$1" | sed -e 's/[\\"`$]/\\&/g' -e '1s/^/NEXUS_SECURITY_INITIAL_PASSWORD="/' -e '$s/$/"/' >"$work/first"
    remember service.first-password "$(cat "$work/first")"
}

# seal_first_password: afterwards a random one that nobody knows stays. Without any, Nexus (seen with 3.71) writes
# a meaningless admin.password at every start; with one, a lost database makes no server that anyone can enter.
seal_first_password() {
    takes_environment || return 0
    if has_fact service.first-password && has_fact service.sealed; then return 0; fi
    write_first_password "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
    remember service.sealed yes
}

# settle_admin_password: a file that an earlier first start left is used once, to set the password that is wanted.
settle_admin_password() {
    left=$arg_data_dir/admin.password
    [ -f "$left" ] && [ ! -L "$left" ] || return 0
    if [ -n "$CURRENT_ADMIN_PASSWORD" ]; then
        [ "$(cat "$left")" = "$CURRENT_ADMIN_PASSWORD" ] || drop_admin_password
        return 0
    fi
    [ -n "$ADMIN_PASSWORD" ] || die "admin_password is empty; give the one that is to replace $left"
    change_admin_password "$(cat "$left")"
    case $change_code in
        204) rm -f "$left" && say "the configured admin password is in force" ;;
        401) drop_admin_password ;;
        *) die "admin_password: Nexus answered HTTP $change_code to the change of the password; run again" ;;
    esac
}

drop_admin_password() {
    rm -f "$left"
    say "removed $left: it did not hold the password in force"
}

# change_admin_password OLD: by REST, both passwords out of curl's command line; sets $change_code.
change_admin_password() {
    change_api=v1
    [ "$(version_number "$arg_version")" -ge 3026000 ] || change_api=beta
    printf '%s' "$ADMIN_PASSWORD" >"$work/new-password"
    change_old=$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')
    change_code=$(curl -s -g -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 60 -K - <<CURL || :
url = "$(base_url)/service/rest/$change_api/security/users/admin/change-password"
request = PUT
header = "Content-Type: text/plain"
user = "admin:$change_old"
data-binary = "@$work/new-password"
CURL
)
}

# --- away -------------------------------------------------------------------------------------------------------

# The data directory stays, less the derived file that holds the keystore's password, and the keystores of copies.
remove_service() {
    if [ -d "$arg_data_dir" ]; then take_up; fi
    if [ "$(unit_origin)" = ours ]; then
        stop_service
        systemctl -q disable "$unit.service"
        rm -f "$(unit_file)"
        systemctl daemon-reload
        systemctl reset-failed "$unit.service" 2>/dev/null || :
        say "stopped and removed $unit.service"
    fi
    case $(readlink "$arg_install_root/nexus" 2>/dev/null) in nexus-[0-9]*) rm "$arg_install_root/nexus" ;; esac
    rm -f "$arg_data_dir/etc/jetty/jetty-https.xml" "$arg_data_dir"/upgrade-copy/*/etc/jetty/jetty-https.xml \
        "$arg_data_dir"/upgrade-copy/*/etc/ssl/keystore.jks*
    forget service.pending service.starting service.certificate service.digest service.properties-keys service.first-password service.sealed \
        service.unit-before service.upgrade service.upgrade-unit
}
