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

# --- what the installed version and its Java can do -------------------------------------------------------------

# service_java INSTALL_DIR: the Java that the service runs on: java_home, that of the archive, or the one that prepare found.
service_java() {
    java_at=${arg_java_home:-}
    [ -n "$java_at" ] || java_at=$(find "$1/jdk" -path '*/bin/java' -type f 2>/dev/null | sort | sed -n '1s|/bin/java$||p')
    [ -n "$java_at" ] || java_at=$(fact prepare.java-home)
    printf '%s' "$java_at"
}

# root_java INSTALL_DIR: the same, for a step, which runs it as root.
root_java() {
    java_at=$(service_java "$1")
    java_refused=$(refusal_of_java "$java_at")
    [ -z "$java_refused" ] || fail "$java_refused"
    printf '%s' "$java_at"
}

# refusal_of_java JAVA_HOME: why root must not run it; nothing where it may.
refusal_of_java() {
    java_real=$(readlink -f "$1") || return 0
    java_open=$(open_java "$1" "$java_real" | tr '\n' ' ')
    [ -z "$java_open" ] ||
        printf '%s' "java: the user $arg_user can change ${java_open% }, and root runs $1/bin/java. Set java_home to a Java that only root can change, or run chown root:root ${java_open}and chmod go-w ${java_open% }, both with -R for $java_real"
}

# open_java JAVA_HOME REAL_PATH: REAL_PATH, if the service's account can change something in it, and the directories above
# both that it can change.
open_java() {
    [ -d "$2" ] || return 0
    [ -z "$(open_to_account "$2" | head -n 1)" ] || printf '%s\n' "$2"
    for open_at in "$1" "$2"; do
        while open_at=${open_at%/*} && [ -n "$open_at" ]; do open_to_account "$open_at" -maxdepth 0; done
    done | sort -u
}

open_to_account() {
    find "$@" \( -user "$(account_number passwd "$arg_user")" -o ! -type l \( -perm -002 ! -perm -1000 \
        -o -perm -020 -group "$(account_number group "$arg_group")" \) \)
}

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

# java_speaks_tls13 HOME: Java 11 and newer, and Java 8 from update 261.
java_speaks_tls13() {
    case $(java_major "$1") in
        8) [ "$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "1\.8\.0_\([0-9]*\).*/\1/p')" -ge 261 ] ;;
        9 | 10) return 1 ;;
        *) return 0 ;;
    esac
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
