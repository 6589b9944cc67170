# shellcheck shell=sh disable=SC2154
# doctor: logs what is no longer on the host as the step left it, one line for each finding. It changes nothing: the
# next run of the step corrects the findings. Sent by the command `nexus-registry doctor`, not by a stack.

# A login shell may print more.
log_mark='nexus-registry finding: '

# doctor STEP VERB --flag value …: the flags of the step's own command line, whichever version of it wrote them.
doctor() {
    doctor_step=$1
    shift 2
    doctor_flags "$@"
    unit=${arg_unit%.service}
    check_word unit "$unit"
    FACTS=$FACTS_ROOT/$unit
    if [ -e "$LOCK_FILE" ] && ! flock -n "$LOCK_FILE" true; then
        fail "host: a step is running here: $(lock_holder). Run the command again when it has ended"
    fi
    work=$RUN_DIR/doctor-$$
    own_dir "$RUN_DIR" root:root 0700
    { remove_dead_doctors && (umask 077 && mkdir "$work"); } ||
        fail "host: /run can't be written (the reason is above). Free space in /run, then run the command again."
    at_exit remove_work
    "doctor_$doctor_step"
    printf 'nexus-registry examined: %s\n' "$doctor_step"
}

remove_work() { rm -rf "$work"; }

doctor_flags() {
    for flag_name in address certificate_path context_path data_dir for group heap_mb http_port https_port java_home java_major open_firewall \
        port privileged_ports property user; do
        eval "arg_$flag_name="
    done
    while [ $# -ge 2 ]; do
        flag_name=$(underscored "${1#--}")
        # shellcheck disable=SC2034 # it is read by eval
        flag_value=$2
        # shellcheck disable=SC2034
        case $flag_name in *:octal) flag_name=${flag_name%:octal} flag_value=$(from_octal "$2") ;; esac
        case $flag_name in
            *[!a-z0-9_]*) fail "unexpected argument '$1'. Use the command and the program of one version" ;;
            port | property) eval "arg_$flag_name=\${arg_$flag_name:+\$arg_$flag_name\$NEWLINE}\$flag_value" ;;
            *) eval "arg_$flag_name=\$flag_value" ;;
        esac
        shift 2
    done
}

# differs PATH OWNER:GROUP MODE WANTED_FILE: logs a missing file and a wrong owner; true if the content is the same.
differs() {
    if [ -L "$1" ] || [ ! -f "$1" ]; then
        log "$1 is missing"
        return 1
    fi
    differs_is=$(stat -c '%U:%G 0%a' "$1")
    is_owned "$1" "$2" "$3" || log "$1 belongs to ${differs_is% *} with mode ${differs_is#* }, not to $2 with mode $3"
    cmp -s "$1" "$4"
}

# --- the steps --------------------------------------------------------------------------------------------------

doctor_prepare() {
    for tool in curl tar gzip find cmp ss; do
        command -v "$tool" >/dev/null || log "the program $tool is missing"
    done
    if [ -n "$arg_java_home$arg_java_major" ]; then
        java=${arg_java_home:-$(fact prepare.java-home)}
        java_is='' java_refused=$(refusal_of_java "$java")
        [ -z "$java" ] || [ -n "$java_refused" ] || java_is=$(java_major "$java")
        if [ -n "$java_refused" ]; then
            log "$java_refused"
        elif [ -z "$java_is" ]; then
            log "there is no Java in '$java'"
        elif [ "$java_is" != "${arg_java_major:-$java_is}" ]; then
            log "$java is Java $java_is, not $arg_java_major"
        fi
    fi
    doctor_context
    doctor_ports
}

doctor_context() {
    selinux_active || return 0
    for launcher in "$arg_install_root"/nexus-*/bin/nexus; do
        [ ! -f "$launcher" ] || matchpathcon -V "$launcher" >/dev/null 2>&1 || log "SELinux: $launcher has another context than the policy gives it"
    done
}

doctor_ports() {
    { [ "$arg_open_firewall" = yes ] && firewalld_runs; } || return 0
    for port in $arg_port $arg_https_port $arg_http_port; do
        firewall-cmd -q --query-port="$port/tcp" || log "firewalld: port $port/tcp is closed"
    done
}

doctor_port() { doctor_ports; }

doctor_account() {
    getent group "$arg_group" >/dev/null || log "the group $arg_group is missing"
    getent passwd "$arg_user" >/dev/null || log "the user $arg_user is missing"
    if [ ! -d "$arg_data_dir" ]; then
        log "the data directory $arg_data_dir is missing"
        return 0
    fi
    foreign_file=$(find "$arg_data_dir" -maxdepth 2 ! \( -user "$(account_number passwd "$arg_user")" -group "$(account_number group "$arg_group")" \) | head -n 1)
    [ -z "$foreign_file" ] || log "$foreign_file belongs to $(stat -c %U:%G "$foreign_file"), not to $arg_user:$arg_group"
}

doctor_archive() {
    install_dir=$arg_install_root/nexus-$arg_version
    if [ ! -e "$install_dir" ]; then
        log "$install_dir is missing"
    elif [ ! -x "$install_dir/bin/nexus" ]; then
        log "$install_dir holds no bin/nexus. Remove the rest of it"
    elif [ -f "$install_dir/.nexus-registry" ]; then
        [ "$(sed -n 's/^sha256 //p' "$install_dir/.nexus-registry")" = "$(printf '%s' "$arg_sha256" | tr A-F a-f)" ] ||
            log "$install_dir comes from another archive"
    fi
}

doctor_keystore() {
    keystore=$arg_data_dir/etc/ssl/keystore.jks
    if [ -n "$arg_certificate_path" ]; then
        doctor_certificate
        return 0
    fi
    printf '%s' "$KEYSTORE_BASE64" | base64 -d >"$work/keystore"
    if ! differs "$keystore" "$arg_user:$arg_group" 0600 "$work/keystore" && [ -f "$keystore" ]; then doctor_fingerprint; fi
}

# A certificate that is a file on this host: the keystore follows it when the steps run again.
doctor_certificate() {
    if [ "$(certificate_source)" != "$(fact keystore.source)" ]; then
        log "$keystore was not made of $arg_certificate_path and $arg_private_key_path as they are now"
    fi
    cat "$keystore" >"$work/keystore" 2>/dev/null || :
    if differs "$keystore" "$arg_user:$arg_group" 0600 "$work/keystore"; then doctor_fingerprint; fi
}

doctor_fingerprint() {
    doctor_java "$arg_install_root/nexus-$arg_version"
    [ -n "$java" ] || return 0
    # shellcheck disable=SC2086 # several words
    found=$(KEYSTORE_PASSWORD=$KEYSTORE_PASSWORD "$java/bin/keytool" $KEYTOOL_OPTIONS -list -v -keystore "$keystore" \
        -storepass:env KEYSTORE_PASSWORD 2>/dev/null | sed -n 's/^.*SHA256: *//p' | head -n 1 | tr -d ': ' | tr A-F a-f)
    if [ -z "$found" ]; then
        log "$keystore does not open with keystore_password"
    elif [ "$found" = "$(plain_fingerprint "$arg_fingerprint")" ]; then
        [ -n "$arg_certificate_path" ] || log "$keystore has other bytes, with the same certificate"
    else
        log "$keystore holds the certificate $(short_fingerprint "$found"), not $(short_fingerprint "$(plain_fingerprint "$arg_fingerprint")")"
    fi
}

doctor_service() {
    : "${arg_address:=0.0.0.0}" "${arg_context_path:=/}"
    fingerprint=$(plain_fingerprint "$arg_fingerprint")
    install_dir=$arg_install_root/nexus-$arg_version
    [ "$(readlink "$arg_install_root/nexus" 2>/dev/null)" = "nexus-$arg_version" ] || log "$arg_install_root/nexus does not lead to nexus-$arg_version"
    doctor_java "$install_dir"
    if [ -x "$install_dir/bin/nexus" ] && [ -n "$java" ] && [ -x "$java/bin/java" ] && [ -d "$arg_data_dir" ]; then doctor_files; fi
    doctor_running
}

# doctor_java INSTALL_DIR: sets java, empty where root must not run it.
doctor_java() {
    java=$(service_java "$1")
    java_refused=$(refusal_of_java "$java")
    [ -z "$java_refused" ] || { log "$java_refused" && java=''; }
}

doctor_files() {
    owner=$arg_user:$arg_group
    derive_https_xml "$install_dir" "$arg_data_dir/etc/ssl/keystore.jks" "$java" "$KEYSTORE_PASSWORD" >"$work/https.xml"
    xml=$arg_data_dir/etc/jetty/jetty-https.xml
    differs "$xml" "$owner" 0600 "$work/https.xml" || [ ! -f "$xml" ] || log "$xml differs from the one derived from $install_dir"
    doctor_properties
    unit_text "$(systemd_version)" "$java" "$install_dir" >"$work/unit"
    if ! differs "$(unit_file)" root:root 0644 "$work/unit" && [ -f "$(unit_file)" ]; then first_difference; fi
    [ ! -f "$install_dir/bin/nexus.rc" ] || grep -qxF "run_as_user=\"$arg_user\"" "$install_dir/bin/nexus.rc" ||
        log "$install_dir/bin/nexus.rc does not name the user $arg_user"
}

# first_difference: of the unit, which contains no secret.
first_difference() {
    log "$(awk -v file="$(unit_file)" '
        NR == FNR { wanted[FNR] = $0; count = FNR; next }
        $0 != wanted[FNR] { shown = 1; if (FNR > count) printf "%s: line %d, \"%s\", is not expected\n", file, FNR, $0
            else printf "%s: line %d is \"%s\", not \"%s\"\n", file, FNR, $0, wanted[FNR]; exit }
        END { if (!shown) printf "%s: line %d, \"%s\", is missing\n", file, FNR + 1, wanted[FNR + 1] }' "$work/unit" "$(unit_file)")"
}

# doctor_properties: the managed keys only; other lines belong to the administrator of the host.
doctor_properties() {
    properties_file=$arg_data_dir/etc/nexus.properties
    if [ ! -f "$properties_file" ]; then
        log "$properties_file is missing"
        return 0
    fi
    desired_properties "$install_dir" >"$work/wanted"
    awk 1 "$properties_file" >"$work/have"
    while IFS= read -r wanted_line; do
        printf '%s\n' "$wanted_line" >"$work/one"
        merged_properties "$work/one" '' "$work/have" | cmp -s - "$work/have" ||
            log "$properties_file: ${wanted_line%%=*} is not '${wanted_line#*=}'"
    done <"$work/wanted"
    differs "$properties_file" "$owner" 0640 "$properties_file" || :
}

doctor_running() {
    if [ "$(unit_property NeedDaemonReload)" = yes ]; then log "$unit.service: systemd has not read its changed unit file"; fi
    [ "$(systemctl is-enabled "$unit.service" 2>/dev/null)" = enabled ] || log "$unit.service does not start with the host"
    [ -z "$(fact service.pending)" ] || log "$unit.service was not restarted after a change of $(fact service.pending)"
    if ! unit_is active; then
        log "$unit.service is $(unit_property ActiveState)"
    elif [ -n "$java" ] && [ -x "$java/bin/keytool" ]; then
        served=$(served_fingerprint)
        [ "$served" = "$fingerprint" ] || log "port $arg_https_port shows ${served:-no certificate}${served:+ as certificate}, not $fingerprint"
    fi
}
