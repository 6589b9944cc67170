# shellcheck shell=sh disable=SC2154
# A certificate and its key that are files on this host: they are read and put into a keystore here, and never sent.

# build_from_host NEW KEYSTORE: NEW becomes a keystore of --certificate-path and --private-key-path; sets $fingerprint.
# The bytes differ each time, so KEYSTORE is copied when it was made of the same files and holds their certificate: the
# service step may not have installed the one that was made of them.
build_from_host() {
    check_path certificate_path "$arg_certificate_path"
    check_path private_key_path "$arg_private_key_path"
    command -v openssl >/dev/null || fail "certificate_path: the program openssl is missing on this host. Install the package openssl."
    for build_file in certificate_path private_key_path; do
        eval "build_path=\$arg_$build_file"
        [ -f "$build_path" ] || fail "$build_file: $build_path is not a file on this host. Give the path of a file in PEM."
    done
    build_source=$(certificate_source) # before the files are read, which an ACME client may replace meanwhile
    check_host_certificate
    if [ "$(fact keystore.source)" = "$build_source" ] && holds_certificate "$2"; then
        (umask 077 && cat "$2" >"$1")
    else
        build_keystore "$1"
    fi
}

# check_host_certificate: the first certificate of the file is the server's, in time, and for the host name. openssl falls
# back to the common name, clients do not.
check_host_certificate() {
    fingerprint=$(printed_fingerprint -in "$arg_certificate_path")
    [ -n "$fingerprint" ] || fail "certificate_path: $arg_certificate_path contains no certificate in PEM. Give the path of one, followed by its intermediates."
    fingerprint=$(plain_fingerprint "$fingerprint")
    openssl x509 -in "$arg_certificate_path" -noout -checkend 0 >/dev/null ||
        fail "certificate_path: the certificate in $arg_certificate_path expired on $(openssl x509 -in "$arg_certificate_path" -noout -enddate | sed 's/^[^=]*=//'). Renew it."
    check_names=$(openssl x509 -in "$arg_certificate_path" -noout -text | sed -n '/X509v3 Subject Alternative Name/{n;p;}')
    case $check_names in
        *DNS:* | *'IP Address:'*) ;;
        *) fail "certificate_path: the first certificate in $arg_certificate_path names no host in its subjectAltName, and clients look nowhere else. Put the server's certificate first, or have it issued with the host's name there." ;;
    esac
    case $arg_hostname in
        '') return 0 ;;
        *:*) check_name=-checkip ;;
        *[!0-9.]*) check_name=-checkhost ;;
        *) check_name=-checkip ;;
    esac
    case $check_name$check_names in
        -checkip* | *DNS:*) openssl x509 -in "$arg_certificate_path" -noout "$check_name" "$arg_hostname" ;;
    esac | grep -q 'does match' ||
        fail "hostname: the certificate in $arg_certificate_path is not for $arg_hostname. Give the name that it is for, or another certificate."
}

# build_keystore NEW: PKCS#12. Java 8 before update 301 reads none of AES, which Nexus up to 3.70 may run on.
build_keystore() {
    build_pbe=AES-256-CBC build_mac=sha256
    [ "$(version_number "$arg_version")" -ge "$(version_number 3.71.0-00)" ] || build_pbe=PBE-SHA1-3DES build_mac=sha1
    build_said=$(umask 077 && KEYSTORE_PASSWORD=$KEYSTORE_PASSWORD PRIVATE_KEY_PASSPHRASE=${PRIVATE_KEY_PASSPHRASE:-} \
        openssl pkcs12 -export -in "$arg_certificate_path" -inkey "$arg_private_key_path" -name "${arg_alias:-cert}" \
        -keypbe "$build_pbe" -certpbe "$build_pbe" -macalg "$build_mac" -passin env:PRIVATE_KEY_PASSPHRASE \
        -passout env:KEYSTORE_PASSWORD -out "$1" 2>&1) || case $build_said in
        *'o cert'*match* | *'values mismatch'*) fail "private_key_path: the key in $arg_private_key_path does not belong to a certificate in $arg_certificate_path. Give the one that it was requested with." ;;
        *decrypt* | *password* | *'ad pass'*) fail "private_key_passphrase: does not open the key in $arg_private_key_path. Give the passphrase of that key." ;;
        *) fail "private_key_path: $arg_private_key_path holds no private key in PEM that openssl reads. Give the path of one." ;;
    esac
}

# holds_certificate KEYSTORE: does it open with the password, and hold the certificate $fingerprint?
holds_certificate() {
    [ -f "$1" ] || return 1
    held=$(KEYSTORE_PASSWORD=$KEYSTORE_PASSWORD openssl pkcs12 -in "$1" -passin env:KEYSTORE_PASSWORD -nokeys -clcerts 2>/dev/null |
        printed_fingerprint)
    [ -n "$held" ] && [ "$(plain_fingerprint "$held")" = "$fingerprint" ]
}

# printed_fingerprint [-in FILE]: SHA-256 of the first certificate as openssl prints it; nothing where there is none.
printed_fingerprint() { openssl x509 "$@" -noout -fingerprint -sha256 2>/dev/null | sed 's/^.*=//'; }
