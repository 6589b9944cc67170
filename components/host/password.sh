# shellcheck shell=sh disable=SC2154
# The administrator's password: a first start gets a random one, which is changed to the configured one by REST. So the
# configured one is in no process's environment, and does not depend on the character set that Java takes it for.

# Since 3.55 Nexus takes the first password from its environment before it looks at <data_dir>/admin.password.
reads_initial_password() { [ "$(version_number "$arg_version")" -ge 3055000 ]; }

random_password() {
    random_word=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    [ ${#random_word} -eq 48 ] || fail "host: /dev/urandom returns no random numbers. Repair /dev"
    printf '%s' "$random_word"
}

# provide_first_password: writes the first password to <data_dir>/admin.password. The file stays until the password is
# changed. A failed start, a run that was cut and a deletion that keeps the data therefore do not lose it. An external
# database that has an administrator does not use it, and set_admin_password removes the file.
provide_first_password() {
    first_file=$arg_data_dir/admin.password
    if ! has_database; then
        [ -n "$ADMIN_PASSWORD" ] || fail "admin_password: is required, and is empty"
        provide_first_file
        log "first start: admin gets a random password, and then the configured one"
    elif reads_initial_password && database_elsewhere && ! is_sealed; then # it may be new
        provide_first_file
    fi
    reads_initial_password || return 0
    if [ -f "$first_file" ] && [ ! -L "$first_file" ]; then
        remove_facts service.sealed
        write_first_password "$(head -n 1 "$first_file")"
    elif ! has_fact service.first-password; then
        first_word=$(random_password)
        write_first_password "$first_word"
    fi
}

provide_first_file() {
    [ ! -f "$first_file" ] || return 0
    first_word=$(random_password)
    printf '%s' "$first_word" | put_file "$first_file" "$owner" 0600
}

write_first_password() {
    printf '%s' "$1" | sed -e 's/[\\"`$]/\\&/g' -e 's/^/NEXUS_SECURITY_INITIAL_PASSWORD="/' -e 's/$/"/' >"$work/first"
    save_fact service.first-password "$(cat "$work/first")"
}

# replace_first_password: writes a random password that nobody knows for the next starts. Without one, Nexus (seen with
# 3.71) writes a meaningless admin.password at every start. With one, nobody can log in to a server that lost its database.
replace_first_password() {
    reads_initial_password || return 0
    if ! has_fact service.first-password || ! is_sealed; then
        first_word=$(random_password)
        write_first_password "$first_word"
    fi
    save_fact service.sealed "$(database_digest)"
}

# is_sealed: has this database's first password been replaced? Earlier versions of this program saved "yes".
is_sealed() { case $(fact service.sealed) in yes | "$(database_digest)") ;; *) return 1 ;; esac }
database_digest() { jdbc_url | sha256_of -; }

# set_admin_password: the file that a first start left is used once, to set the password that is wanted. It belongs to the
# service's account: a second line of it would be an option of curl.
set_admin_password() {
    left=$arg_data_dir/admin.password
    [ -f "$left" ] && [ ! -L "$left" ] || return 0
    [ -n "$ADMIN_PASSWORD" ] || fail "admin_password: is required, and is empty. Give the one that replaces the password in $left"
    change_admin_password "$(head -n 1 "$left")"
    case $change_code in
        204) rm -f "$left" && log "the configured admin password is in force" ;;
        401) rm -f "$left" && log "removed $left: it did not hold the password in force" ;;
        *) fail "admin_password: Nexus answered HTTP $change_code to the change of the password. Run again" ;;
    esac
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
header = "Content-Type: text/plain; charset=utf-8"
user = "admin:$change_old"
data-binary = "@$work/new-password"
CURL
)
}
