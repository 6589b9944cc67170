# shellcheck shell=sh disable=SC2154
# The Java of the service: where it is, what it is, and whether root may run it.

# java_major HOME: 8, 17, … or nothing when that is no Java.
java_major() {
    [ -x "$1/bin/java" ] || return 0
    "$1/bin/java" -version 2>&1 | sed -n 's/.* version "\(1\.\)\{0,1\}\([0-9][0-9]*\).*/\2/p' | head -n 1
}

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

# java_speaks_tls13 HOME: Java 11 and newer, and Java 8 from update 261.
java_speaks_tls13() {
    case $(java_major "$1") in
        8) [ "$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "1\.8\.0_\([0-9]*\).*/\1/p')" -ge 261 ] ;;
        9 | 10) return 1 ;;
        *) return 0 ;;
    esac
}
