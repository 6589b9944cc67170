# shellcheck shell=sh disable=SC2154
# nexus.properties: the managed keys get their values, every other line stays unchanged.

MANAGED_KEYS='application-host application-port application-port-ssl nexus-context-path nexus-args ssl.etc'

# desired_properties INSTALL_DIR: key=value lines in the file's own notation.
desired_properties() {
    wanted_args=$(stock_args "$1")
    printf 'application-host=%s\n' "${arg_address:-0.0.0.0}"
    printf 'application-port=%s\n' "$arg_http_port"
    printf 'application-port-ssl=%s\n' "$arg_https_port"
    printf 'nexus-context-path=%s\n' "$arg_context_path"
    printf '%s\n' "nexus-args=$wanted_args,\${karaf.data}/etc/jetty/jetty-https.xml"
    printf '%s\n' "ssl.etc=\${karaf.data}/etc/ssl"
    [ -z "$arg_property" ] || printf '%s\n' "$arg_property" | while IFS= read -r wanted_line; do
        desired_property "$wanted_line"
    done
}

# The Jetty files that this version starts with, less its own HTTPS.
stock_args() {
    sed -n 's/^nexus-args=//p' "$1/etc/nexus-default.properties" | tail -n 1 | tr -d ' \r' |
        sed -e 's/,[^,]*jetty-https\.xml//' | grep . ||
        fail "version: $1/etc/nexus-default.properties names no nexus-args. Give the archive of the vendor"
}

# desired_property K=V: refused when another argument manages it or the file can't hold it.
desired_property() {
    wanted_key=${1%%=*} wanted_value=${1#*=}
    case $1 in *=*) ;; *) fail "properties: must be key=value, not '$1'" ;; esac
    case $wanted_key in
        '' | *[!A-Za-z0-9._-]*) fail "properties: the key '$wanted_key' may contain only letters, digits and . _ -." ;;
    esac
    case " $MANAGED_KEYS " in
        *" $wanted_key "*) fail "properties: $wanted_key is managed through an argument of its own. Leave it out here." ;;
    esac
    if printf '%s' "$wanted_value" | grep -q '[^ -~]'; then
        fail "properties: the value of $wanted_key is not printable ASCII. Write other characters as \\uXXXX."
    fi
    printf '%s=' "$wanted_key"
    printf '%s\n' "$wanted_value" | sed -e 's/\\/\\\\/g' -e 's/\\\\u\([0-9A-Fa-f]\{4\}\)/\\u\1/g' -e 's/^ /\\ /'
}

# merged_properties WANTED FORMER_KEYS FILE: FILE with WANTED's lines in place of its lines for these keys.
merged_properties() {
    FORMER=$2 awk '
        NR == FNR { key = $0; sub(/=.*/, "", key); if (!(key in line_of)) order[++count] = key; line_of[key] = $0; next }
        FNR == 1 { split(ENVIRON["FORMER"], list, " "); for (i in list) former[list[i]] = 1 }
        { block = going ? block "\n" $0 : $0; if (!going) first = $0 }
        { going = first !~ /^[ \t\f]*[#!]/ && odd_backslashes($0); if (!going) flush() }
        END {
            if (going) flush()
            for (i = 1; i <= count; i++) if (!(order[i] in done)) print line_of[order[i]]
        }
        function flush(    key) {
            key = key_of(first)
            if (key in line_of) { if (!(key in done)) print line_of[key]; done[key] = 1 }
            else if (!(key in former)) print block
        }
        function key_of(line) {
            sub(/^[ \t\f]+/, "", line)
            if (line == "" || line ~ /^[#!]/) return ""
            if (match(line, /[=: \t\f\r]/)) line = substr(line, 1, RSTART - 1)
            return line
        }
        function odd_backslashes(line,    n) {
            while (substr(line, length(line) - n, 1) == "\\") n++
            return n % 2
        }' "$1" "$3"
}

# write_properties INSTALL_DIR OWNER
write_properties() {
    properties_file=$arg_data_dir/etc/nexus.properties
    desired_properties "$1" >"$work/wanted"
    [ ! -L "$properties_file" ] || fail "data_dir: $properties_file is a symbolic link. Replace it by a file"
    if [ -f "$properties_file" ]; then
        cat "$properties_file" >"$work/before"
    else
        log "# nexus-registry sets the keys that it manages and keeps every other line." >"$work/before"
    fi
    merged_properties "$work/wanted" "$(fact service.properties-keys)" "$work/before" >"$work/merged"
    update_file "$properties_file" "$2" 0640 <"$work/merged"
    properties_keys=$(sed 's/=.*//' "$work/wanted" | tr '\n' ' ')
    save_fact service.properties-keys "$properties_keys"
}
