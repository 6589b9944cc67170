# shellcheck shell=sh disable=SC2154
# jetty-https.xml: a copy in the data directory, derived from the installed version's own, with our keystore in it.

# How keytool is called: in English; the other options halve the second that a call takes.
KEYTOOL_OPTIONS='-J-Duser.language=en -J-XX:+IgnoreUnrecognizedVMOptions -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC'

# --- fingerprints and passwords ---------------------------------------------------------------------------------

# plain_fingerprint F: SHA-256 as 64 lower-case hexadecimal digits; for the word host, that of the keystore step.
plain_fingerprint() (
    [ "$1" != host ] || set -- "$(fact keystore.fingerprint)"
    plain=$(printf '%s' "$1" | tr -d ': ' | tr A-F a-f)
    check_hex fingerprint 64 "$plain"
    printf '%s' "$plain"
)

# certificate_source: a mark of the files on this host, and of the alias, that a keystore is made of.
certificate_source() {
    { cat "$arg_certificate_path" "$arg_private_key_path" && printf '%s' "${arg_alias:-cert}"; } 2>/dev/null | sha256sum | cut -c 1-64
}

short_fingerprint() { printf 'sha256 %.16s…' "$1"; }

xml_escaped() {
    printf '%s' "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

# password_in_force FILE: the keystore's password in the derived XML, still escaped; nothing when there is none.
password_in_force() {
    [ ! -f "$1" ] || sed -n 's|.*<Set name="KeyStorePassword">\(.*\)</Set>.*|\1|p' "$1" | head -n 1
}

# --- what the installed version can do --------------------------------------------------------------------------

# has_scanner INSTALL_DIR: does its Jetty bring the bean that sees a new keystore? A jar's table of contents is
# plain text, also in a jar within a jar. Which jar it is differs between versions and builds.
has_scanner() {
    for scanner_jars in 'jetty-util-*.jar' '*.jar'; do
        ! find "$1" -type f -name "$scanner_jars" \
            -exec grep -lF org/eclipse/jetty/util/ssl/KeyStoreScanner.class {} + 2>/dev/null | grep -q . || return 0
    done
    return 1
}

# mark_pending FILE: before a change that Nexus takes in only with a start.
mark_pending() {
    remove_facts service.starting
    save_fact service.pending "$1"
}

# --- the derived file -------------------------------------------------------------------------------------------

# derive_https_xml INSTALL_DIR KEYSTORE JAVA_HOME PASSWORD: prints it. Bean ids stay: docker connectors use them.
derive_https_xml() {
    derive_source=$1/etc/jetty/jetty-https.xml
    [ -f "$derive_source" ] || fail "version: $1 has no etc/jetty/jetty-https.xml. Give the archive of the vendor"
    derive_items='<Item>TLSv1.2</Item>'
    ! java_speaks_tls13 "$3" || derive_items="$derive_items<Item>TLSv1.3</Item>"
    derive_scanner=no
    ! has_scanner "$1" || derive_scanner=yes
    WANTED_PASSWORD=$(xml_escaped "$4") WANTED_KEYSTORE=$2 WANTED_PROTOCOLS=$derive_items WANTED_SCANNER=$derive_scanner \
        awk "$derive_program" "$derive_source" ||
        fail "version: $derive_source has no sslContextFactory bean, which the HTTPS configuration needs. Choose another version"
}

# put(name, value): the <Set> of this name gets the value; missing, it is added to the sslContextFactory.
# shellcheck disable=SC2016
derive_program='
    { text = text $0 "\n" }
    END {
        while ((start = index(text, "<!--")) && (stop = index(substr(text, start), "-->")))
            text = substr(text, 1, start - 1) substr(text, start + stop + 2)
        if (!match(text, /<New[ \t\r\n]+id="sslContextFactory"[^>]*>/)) exit 1
        bean = RSTART + RLENGTH - 1
        put("KeyStorePath", ENVIRON["WANTED_KEYSTORE"], 1)
        put("KeyStorePassword", ENVIRON["WANTED_PASSWORD"], 1)
        put("KeyManagerPassword", ENVIRON["WANTED_PASSWORD"], 1)
        put("TrustStorePath", ENVIRON["WANTED_KEYSTORE"], 0)
        put("TrustStorePassword", ENVIRON["WANTED_PASSWORD"], 0)
        put("IncludeProtocols", "<Array type=\"java.lang.String\">" ENVIRON["WANTED_PROTOCOLS"] "</Array>", 1)
        if (ENVIRON["WANTED_SCANNER"] == "yes") add_scanner()
        printf "%s", text
    }
    function put(name, value, needed,    pattern, start, tag, rest, stop) {
        value = "<Set name=\"" name "\">" value "</Set>"
        pattern = "<Set[ \t\r\n]+name=\"[" substr(name, 1, 1) tolower(substr(name, 1, 1)) "]" substr(name, 2) "\"[^>]*>"
        if (match(text, pattern)) {
            start = RSTART; tag = substr(text, RSTART, RLENGTH); rest = substr(text, RSTART + RLENGTH)
            if (tag !~ /\/>$/) { stop = index(rest, "</Set>"); rest = substr(rest, stop + 6) }
            text = substr(text, 1, start - 1) value rest
        } else if (needed)
            text = substr(text, 1, bean) "\n    " value substr(text, bean + 1)
    }
    function add_scanner(    at, rest, last) {
        rest = text; last = 0
        while (at = index(rest, "</Configure>")) { last += at; rest = substr(rest, at + 1) }
        text = substr(text, 1, last - 1) \
            "  <Call name=\"addBean\">\n    <Arg>\n" \
            "      <New id=\"keyStoreScanner\" class=\"org.eclipse.jetty.util.ssl.KeyStoreScanner\">\n" \
            "        <Arg><Ref refid=\"sslContextFactory\"/></Arg>\n" \
            "        <Set name=\"scanInterval\">2</Set>\n" \
            "      </New>\n    </Arg>\n  </Call>\n" substr(text, last)
    }'
