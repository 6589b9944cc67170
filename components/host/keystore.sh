# shellcheck shell=sh disable=SC2154
# keystore: the server's key and certificates; opened with the password before they are written for Nexus.

step() {
    parse "unit user group data-dir install-root version fingerprint" "java-home certificate-path private-key-path hostname alias" "" "$@"
    take_lock keystore
    claim_step keystore
    check_path data_dir "$arg_data_dir"
    keystore=$arg_data_dir/etc/ssl/keystore.jks
    if [ "$verb" = delete ]; then
        remove_keystore
        return 0
    fi
    check_version "$arg_version"
    check_path install_root "$arg_install_root"
    check_word user "$arg_user"
    check_word group "$arg_group"
    owner=$arg_user:$arg_group
    check_password
    refuse_unmounted
    [ -d "$arg_data_dir" ] || fail "data_dir: $arg_data_dir is missing. Set repair to a new value and run pulumi up, whose account step creates it"
    new=$temp_dir/keystore
    if [ -n "$arg_certificate_path" ]; then
        build_from_host "$new" "$keystore"
    else
        remove_facts keystore.source keystore.fingerprint
        fingerprint=$(plain_fingerprint "$arg_fingerprint")
        printf '%s' "$KEYSTORE_BASE64" | base64 -d >/dev/null 2>&1 || fail "keystore: the content is not base64. Create it again"
        (umask 077 && printf '%s' "$KEYSTORE_BASE64" | base64 -d >"$new") ||
            fail "host: $new could not be written (the reason is above). Free space in /run and run again"
    fi
    check_keystore
    place_keystore
    [ -z "$arg_certificate_path" ] || save_fact keystore.source "$build_source"
    [ -z "$arg_certificate_path" ] || save_fact keystore.fingerprint "$fingerprint"
}

# Jetty trims the text and takes these prefixes for its own encodings.
check_password() {
    case $KEYSTORE_PASSWORD in
        '') fail "keystore_password: must have at least 6 characters, and is empty" ;;
        OBF:* | CRYPT:* | ENV:*) fail "keystore_password: must not begin with OBF:, CRYPT: or ENV:" ;;
        [[:space:]]* | *[[:space:]]) fail "keystore_password: must not begin or end with a blank" ;;
        *[[:cntrl:]]*) fail "keystore_password: must be one line without control characters" ;;
    esac
}

check_keystore() {
    java_used=$(root_java "$arg_install_root/nexus-$arg_version")
    [ -x "$java_used/bin/keytool" ] || fail "java: there is no keytool in '$java_used'. Set repair to a new value and run pulumi up, whose prepare step finds or installs Java"
    # shellcheck disable=SC2086 # several words
    listing=$(KEYSTORE_PASSWORD=$KEYSTORE_PASSWORD "$java_used/bin/keytool" $KEYTOOL_OPTIONS -list -v -keystore "$new" \
        -storepass:env KEYSTORE_PASSWORD 2>&1) || {
        java_runs=$(java_major "$java_used")
        [ -n "$java_runs" ] ||
            fail "architecture: $java_used/bin/java does not run on this host, which is $(uname -m). Set architecture and archive_sha256 to those of an archive for it"
        fail "keystore: Java $java_runs can't open it with keystore_password ($(printf '%s\n' "$listing" | sed -n 's/^keytool error: //p' | head -n 1)). Create it again with that password"
    }
    printf '%s\n' "$listing" | grep -q 'PrivateKeyEntry' || fail "keystore: contains no private key. Create it from key and certificate"
    found=$(plain_fingerprint "$(printf '%s\n' "$listing" | sed -n 's/^.*SHA256: *//p' | head -n 1)")
    [ "$found" = "$fingerprint" ] || fail "keystore: contains the certificate $found, not $fingerprint. Create it again"
    log "the keystore opens and holds the certificate $(short_fingerprint "$fingerprint")"
}

place_keystore() {
    if has_fact account.chown-pending; then
        place_next_keystore
        return 0
    fi
    own_dir "$arg_data_dir/etc" "$owner" 0750
    own_dir "$arg_data_dir/etc/ssl" "$owner" 0700
    in_force=$(password_in_force "$arg_data_dir/etc/jetty/jetty-https.xml")
    beside_why=
    if [ ! -f "$keystore" ]; then
        :
    elif [ -n "$in_force" ]; then
        [ "$in_force" = "$(xml_escaped "$KEYSTORE_PASSWORD")" ] || beside_why='the keystore has another password'
    elif ! has_fact service.certificate && ! cmp -s "$new" "$keystore" &&
        [ "$(sha256_of "$keystore")" != "$(fact keystore.written)" ]; then
        # A server that was set up by hand has its password elsewhere, and the service step may refuse to adopt it.
        save_fact keystore.by-hand "$(sha256_of "$keystore")"
        beside_why="$keystore is not from this program"
    fi
    if [ -n "$beside_why" ]; then
        put_file "$keystore.next" "$owner" 0600 <"$new"
        log "$beside_why: left the new one beside, for the service step to put in with the restart"
        return 0
    fi
    rm -f "$keystore.next"
    if same_file "$keystore" "$owner" 0600 <"$new"; then
        log "$keystore is there"
    else
        if unit_is active && ! has_scanner "$arg_install_root/nexus/"; then mark_pending "$keystore"; fi
        put_file "$keystore" "$owner" 0600 <"$new"
        log "put in $keystore"
    fi
    save_fact keystore.written "$(sha256_of "$new")"
}

# place_next_keystore: a service under another account still reads its keystore; the service step changes both at once.
place_next_keystore() {
    beside_owner=$(stat -c %u:%g "$arg_data_dir")
    own_dir "$arg_data_dir/etc" "$beside_owner" 0750
    own_dir "$arg_data_dir/etc/ssl" "$beside_owner" 0700
    put_file "$keystore.next" "$beside_owner" 0600 <"$new"
    log "left the keystore beside, for the service step to put in with the change of owner"
}

remove_keystore() {
    remove_failed_service
    if ! is_by_hand && runs_nexus; then
        log "$unit.service still runs: $keystore stays"
        return 0
    fi
    rm -f "$keystore.next"
    if is_by_hand; then
        log "$unit.service was set up by hand: $keystore stays"
    elif other_units_with data_dir "$arg_data_dir" | grep -q ' ours$'; then
        log "another unit has its data in $arg_data_dir: $keystore stays"
    elif [ -f "$keystore" ] && [ "$(sha256_of "$keystore")" = "$(fact keystore.by-hand)" ]; then
        log "$keystore is not from this program and stays"
    else
        rm -f "$keystore"
        log "removed $keystore"
    fi
    remove_facts keystore.source keystore.fingerprint keystore.written keystore.by-hand
}
