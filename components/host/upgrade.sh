# shellcheck shell=sh disable=SC2154
# A change of version with rollback: what the old version ($from) needs is copied before the new one ($to) starts, and
# restored when that fails. A journal, the fact service.upgrade, contains the phase of an interrupted run:
#   copy    $from is stopped, its data are being copied, nothing has changed
#   change  the copy is whole; some files are $to's
#   start   all files are; $to may have run on the database
#   back …  these items of the copy are being restored
# Without a journal, the data belong to the version in the data directory's record.

# What a rollback needs: not blobs and log, which stay, nor files that Nexus creates again.
COPIED='db etc keystores javaprefs'
REBUILT='cache tmp elasticsearch upgrades'
# Below this, OrientDB stops writing (storage.diskCache.diskFreeSpaceLimit).
ORIENT_FREE_MB=4096
MIGRATION_PAGE=https://help.sonatype.com/en/orient-3-70-java-8-or-11.html
H2_PAGE=https://help.sonatype.com/en/upgrade-h2.html

# --- unsupported changes ----------------------------------------------------------------------------------------------

# plan_version: sets $from when another version used the data last, and refuses changes without rollback.
plan_version() {
    from=
    has_database || return 0
    plan_found=$(last_version)
    if [ -z "$plan_found" ]; then
        database_elsewhere || # An external database may be new. Nothing has been recorded about it then.
            fail "version: no record, log or unit contains the version of Nexus that used $arg_data_dir last. Write that version, such as 3.70.1-02, into $(version_record), then run pulumi up"
        log "no record says which version ran on $arg_data_dir last: taking it for $arg_version"
    elif [ "$plan_found" != "$arg_version" ]; then
        from=$plan_found to=$arg_version
        refuse_versions
        refuse_without_rollback
        [ ! -d "$(copy_of '')" ] || own_copies
        rm -rf "$(copy_of '')"*.part "$(copy_of '')"*.failed # of a change that failed earlier
        refuse_little_room
    fi
}

# version_order A B: is B older, same or newer? The build counts.
version_order() {
    printf '%s %s\n' "$1" "$2" | awk '{
        split($1, a, "[.-]"); split($2, b, "[.-]")
        for (i = 1; i <= 4; i++) if (a[i] + 0 != b[i] + 0) { print (b[i] + 0 > a[i] + 0) ? "newer" : "older"; exit }
        print "same"
    }'
}

refuse_versions() {
    refuse_said="version: the data in $arg_data_dir were last used by Nexus $from, not $to"
    [ "$(version_order "$from" "$to")" != older ] ||
        fail "$refuse_said, which is older and can't read them. Set version to $from or a newer one"
    if on_h2; then
        crosses 3070000 || return 0
        fail "$refuse_said, which has another format of the H2 database. Migrate it by hand ($H2_PAGE)"
    fi
    crosses 3071000 || return 0
    fail "$refuse_said, which has no OrientDB. On version 3.70 move the data to H2 with Sonatype's database migrator by hand ($MIGRATION_PAGE), let an up with nexus.datastore.enabled true in properties run it, then set version to $to"
}

crosses() { [ "$(version_number "$from")" -lt "$1" ] && [ "$(version_number "$to")" -ge "$1" ]; }

on_h2() {
    [ -f "$arg_data_dir/db/nexus.mv.db" ] || return 1
    [ "$(version_number "$from")" -lt 3071000 ] || return 0
    grep -q '^[[:space:]]*nexus\.datastore\.enabled[[:space:]]*[=:][[:space:]]*true' "$arg_data_dir/etc/nexus.properties"
}

refuse_without_rollback() {
    way_first="Set version to $from first, and change it in an up of its own"
    { [ "$(unit_origin)" = ours ] && [ -x "$arg_install_root/nexus-$from/bin/nexus" ]; } ||
        fail "$refuse_said, and there is no $unit.service of this program with $arg_install_root/nexus-$from to go back to. $way_first"
    for way_line in "User=$arg_user" "Group=$arg_group" "ExecStart=$arg_install_root/nexus/bin/nexus run"; do
        grep -qxF "$way_line" "$(unit_file)" || fail "$refuse_said, and its unit has another ${way_line%%=*}. $way_first"
    done
    grep -qF -- "-Dkaraf.data=$arg_data_dir " "$(unit_file)" || fail "$refuse_said, and its unit has another data_dir. $way_first"
    way_without="change the version without a rollback: back up the database, write $to into $(version_record), then run pulumi up"
    ! database_elsewhere ||
        fail "version: a jdbcUrl leads to a database elsewhere than in $arg_data_dir/db, which the upgrade can't copy. You can $way_without"
    for way_item in $(copied_items); do
        { [ ! -L "$arg_data_dir/$way_item" ] && [ "$(stat -c %d "$arg_data_dir/$way_item")" = "$(stat -c %d "$arg_data_dir")" ]; } ||
            fail "data_dir: $arg_data_dir/$way_item is a link or a disk of its own, which a rollback can't rename. Make it a plain directory, or $way_without"
    done
    [ -z "$(find "$arg_data_dir/db" -type l | head -n 1)" ] ||
        fail "data_dir: there are links in $arg_data_dir/db, so that a copy of it is incomplete. Replace them by plain files, or $way_without"
    derive_https_xml "$install_dir" /keystore "$java" x >/dev/null
    stock_args "$install_dir" >/dev/null
}

copied_items() { for copied_item in $COPIED; do [ ! -e "$arg_data_dir/$copied_item" ] || printf '%s ' "$copied_item"; done; }

# refuse_little_room: for the copy, and for the new version to write: with H2 the same size again.
refuse_little_room() {
    # shellcheck disable=SC2046
    room_copy=$(cd "$arg_data_dir" && du -sk $(copied_items) | awk '{ sum += $1 } END { print int(sum / 1024) + 1 }')
    room_left=$ORIENT_FREE_MB
    ! on_h2 || room_left=$room_copy
    room_free=$(free_mb "$arg_data_dir")
    [ "$room_free" -ge $((room_copy + room_left)) ] ||
        fail "data_dir: a change of version needs $((room_copy + room_left)) MB of free disk at $arg_data_dir ($room_copy for a copy of the database and configuration, $room_left for Nexus to write) and there are $room_free. Nothing was changed. Free some and run again"
}

# --- the journal ------------------------------------------------------------------------------------------------

# set_phase PHASE: written to disk after the phase before, and before anything of this phase is done.
set_phase() {
    sync
    phase_rest=$(fact service.upgrade | grep -v '^phase ' || :)
    save_fact service.upgrade "phase $1$NEWLINE${phase_rest:-$2}"
    sync
}

journal() { fact service.upgrade | sed -n "s/^$1 //p"; }

# journal_or LINE DEFAULT: for a line that earlier versions of this program did not write.
journal_or() { journal "$1" | grep . || printf '%s' "$2"; }

open_journal() {
    save_fact service.upgrade-unit "$(cat "$(unit_file)")"
    set_phase copy "from $from
to $to
data-dir $arg_data_dir
install-root $arg_install_root
owner $owner
keys $(fact service.properties-keys)
certificate $(fact service.certificate)
$(journal_logs)"
}

# journal_logs: the size of nexus.log and a digest of its beginning, and a digest of the beginning of each rotated file.
# A file keeps its digest when logrotate renames or compresses it.
journal_logs() {
    journal_log=$arg_data_dir/log/nexus.log journal_size=0
    [ ! -f "$journal_log" ] || journal_size=$(stat -c %s "$journal_log")
    printf 'log %s %s\nlogs %s\n' "$journal_size" "$(log_head "$journal_log" "$journal_size")" \
        "$(log_files | grep -vx ./nexus.log | while read -r journal_file; do log_head "$arg_data_dir/log/$journal_file" 4096; done | tr '\n' ' ')"
}

# log_files: nexus.log and the files that it was rotated to.
log_files() { (cd "$arg_data_dir/log" && find . -type f -name 'nexus*.log*') 2>/dev/null || :; }

# log_head FILE SIZE: a digest of the first SIZE bytes, at most 4096.
log_head() { gzip -cdf "$1" 2>/dev/null | head -c "$2" | head -c 4096 | sha256_of -; }

close_journal() { remove_facts service.upgrade service.upgrade-unit; }

# own_copies: before anything is removed there, since the service's account can replace the directory with a link.
own_copies() { own_dir "$arg_data_dir/upgrade-copy" "$owner" 0700; }
copy_of() { printf '%s/upgrade-copy/%s' "$arg_data_dir" "$1"; }

# --- the change ------------------------------------------------------------------------------------------------------

change_version() {
    log "changing the version from $from to $to"
    open_journal
    forget_stopped # The new version or the rollback starts what is stopped from here on.
    with_rollback install_new_version
}

install_new_version() {
    stop_cleanly
    copy_data
    set_phase change
    write_files
    set_phase start
    bring_up
}

stop_cleanly() {
    clean_before=$(unit_property ActiveState)
    log "stopping Nexus $from"
    stop_service
    [ "$clean_before" != active ] || [ "$(unit_property Result)" = success ] ||
        fail "host: Nexus $from was killed as it did not stop ($(unit_property Result)), so that a copy of its database may be damaged. See its journal (journalctl -u $unit)"
}

copy_data() {
    copy_part=$(copy_of "$from.part")
    own_copies
    own_dir "$copy_part" "$owner" 0700
    for copy_item in $(copied_items); do
        run_with_progress "copying $arg_data_dir/$copy_item" 86400 cp -a --reflink=auto "$arg_data_dir/$copy_item" "$copy_part/" ||
            fail "data_dir: $arg_data_dir/$copy_item could not be copied (the output of cp is above). Correct that and run again"
    done
    rm -rf "$(copy_of "$from")"
    mv "$copy_part" "$(copy_of "$from")"
    log "copied database and configuration of $from to $(copy_of "$from")"
}

# with_rollback COMMAND: rolls back when it fails. It runs in a subshell, which its fail ends.
with_rollback() {
    set +e
    (set -e; "$@") 2>"$work/why"
    way_status=$?
    set -e
    [ "$way_status" -eq 0 ] || roll_back
    cat "$work/why" >&2
    finish_upgrade
}

# finish_upgrade: the data are the new version's from now on. The newest copy and its version stay.
finish_upgrade() {
    printf '%s\n' "$to" | put_file "$(version_record)" "$owner" 0640
    close_journal
    own_copies
    for finish_other in "$(copy_of '')"* "$arg_install_root"/nexus-*; do
        case ${finish_other##*/} in "$from" | "nexus-$from" | "nexus-$to" | "nexus-$arg_version") continue ;; esac
        case $finish_other in "$arg_install_root"/*) [ -f "$finish_other/.nexus-registry" ] || continue ;; esac
        rm -rf "$finish_other"
    done
    log "the version is $to; what $from had stays in $(copy_of "$from") and $arg_install_root/nexus-$from until the next change"
}

# --- rollback ---------------------------------------------------------------------------------------------------

roll_back() {
    sed '$d' "$work/why" >&2
    back_why=$(tail -n 1 "$work/why")
    back_why="version: the change from $from to $to failed. The reason: ${back_why:-it was killed.}"
    log "going back to $from"
    restore
    set +e
    (set -e; start_former) 2>"$work/why"
    back_status=$?
    set -e
    cat "$work/why" >&2
    [ "$back_status" -eq 0 ] ||
        fail "$back_why Version, configuration and database of $from are restored, but it does not start either (its output is above). See $arg_data_dir/log/nexus.log"
    fail "$back_why Version $from runs again, with its configuration and database"
}

# restore: by renames, so that it needs no room and can be cut anywhere; what it replaces stays beside until the next
# change. The database only if the new version may have run, which the symlink tells. Unit and symlink come first: after
# a power loss, the host must not start the new version on the old database.
restore() {
    back_copy=$(copy_of "$from") back_failed=$(copy_of "$to.failed")
    if [ "$(journal phase)" != copy ]; then
        stop_service
        case $(journal phase) in
            'back '*) ;;
            *)
                if symlink_is "$to"; then
                    remove_rebuilt # now, because the new version may have filled the disk
                    set_phase "back $COPIED"
                else
                    set_phase 'back etc'
                fi
                ;;
        esac
        back_items=$(journal phase)
        back_items=${back_items#back }
        fact service.upgrade-unit | put_file "$(unit_file)" root:root 0644
        systemctl daemon-reload
        set_symlink "$from"
        sync
        own_copies
        own_dir "$back_failed" "$owner" 0700
        for back_item in $back_items; do
            { [ -d "$back_copy/$back_item" ] && [ ! -L "$back_copy/$back_item" ]; } || continue
            if [ -e "$arg_data_dir/$back_item" ]; then
                rm -rf "${back_failed:?}/$back_item"
                mv "$arg_data_dir/$back_item" "$back_failed/"
            fi
            mv "$back_copy/$back_item" "$arg_data_dir/"
        done
        [ "$back_items" = etc ] || remove_rebuilt
        own_dir "$arg_data_dir/tmp" "$owner" 0750
        keep_newest_keystore
        printf '%s\n' "$from" | put_file "$(version_record)" "$owner" 0640
        save_fact service.properties-keys "$(journal keys)"
        save_fact service.certificate "$(journal certificate)"
        remove_facts service.pending
        sync
    fi
    close_journal
    rm -rf "$back_copy.part" "$back_copy"
}

remove_rebuilt() { for back_item in $REBUILT; do rm -rf "${arg_data_dir:?}/$back_item"; done; }

symlink_is() { [ "$(readlink "$arg_install_root/nexus" 2>/dev/null)" = "nexus-$1" ]; }

# keep_newest_keystore: the keystore step's last one is put in with the next start that has its password.
keep_newest_keystore() {
    own_dir "$arg_data_dir/etc/ssl" "$owner" 0700
    for newest in "$back_failed/etc/ssl/keystore.jks.next" "$back_failed/etc/ssl/keystore.jks"; do
        { [ -f "$newest" ] && [ ! -L "$newest" ]; } || continue
        cmp -s "$newest" "$arg_data_dir/etc/ssl/keystore.jks" ||
            put_file "$arg_data_dir/etc/ssl/keystore.jks.next" "$owner" 0600 <"$newest"
        break
    done
}

# start_former: with the address in its own file.
start_former() {
    arg_address=$(old_property application-host) arg_http_port=$(old_property application-port) arg_context_path=$(old_property nexus-context-path)
    [ "$arg_start_timeout" -ge 600 ] || arg_start_timeout=600
    log "starting Nexus $from again"
    start_unit
    log "Nexus $from serves HTTP on $arg_http_port again after $(($(uptime_seconds) - start_began)) s"
}

old_property() { sed -n "s/^$1=//p" "$arg_data_dir/etc/nexus.properties" | tail -n 1; }

# resume_upgrade, after a run that was cut: a new version that came up is kept, one that is starting is waited for, and all
# else goes back to the old one: under the unit's name, in the directories and for the user that it had then.
resume_upgrade() {
    program_unit=$unit program_data_dir=$arg_data_dir program_install_root=$arg_install_root program_owner=${owner:-}
    select_unit "${former_unit:-$unit}"
    if has_fact service.upgrade; then
        arg_data_dir=$(journal_or data-dir "$arg_data_dir") arg_install_root=$(journal_or install-root "$arg_install_root")
        owner=$(journal_or owner "$owner")
        resume_from_journal
        arg_data_dir=$program_data_dir arg_install_root=$program_install_root owner=$program_owner
    else
        remove_facts service.upgrade-unit
    fi
    select_unit "$program_unit"
}

select_unit() { unit=$1 FACTS=$FACTS_ROOT/$1; }

resume_from_journal() {
    from=$(journal from) to=$(journal to)
    log "an earlier run was cut while it changed the version from $from to $to"
    case $(journal phase) in
        change | start)
            if new_version_started; then
                finish_upgrade
                return 0
            elif [ "$verb" != delete ] && [ "$to" = "$arg_version" ] && symlink_is "$to" && is_up; then
                log "Nexus $to is starting since then"
                with_rollback await_started
                return 0
            fi
            ;;
    esac
    restore
    note_stopped "$unit"
    log "version, configuration and database are those of $from"
}

is_up() { case $(unit_property ActiveState) in inactive | failed) return 1 ;; esac }

# new_version_started: does a log say so that was written since the journal was opened? Then people may have stored
# something in it. Times are not compared, because the clock may have been set back since.
new_version_started() {
    # shellcheck disable=SC2046
    set -- $(journal log) 0 0
    log_files | while read -r came_file; do
        came_log=$arg_data_dir/log/$came_file came_from=1
        if [ ${#2} -ne 64 ]; then # a journal of an earlier version of this program: log INODE SIZE, logs NAME …
            case "$came_file $(journal logs) " in ./nexus.log.* | *" $came_file "*) continue ;; esac
            [ "$(stat -c %i "$came_log")" != "$1" ] || came_from=$(($2 + 1))
        elif [ "$1" -gt 0 ] && [ "$(log_head "$came_log" "$1")" = "$2" ]; then
            came_from=$(($1 + 1))
        else
            case " $(journal logs) " in *" $(log_head "$came_log" 4096) "*) continue ;; esac
        fi
        gzip -cdf "$came_log" | tail -c "+$came_from" | grep "^Started Sonatype Nexus [A-Z]* $to"
    done | grep -q .
}

await_started() {
    await_running_start
    [ "$(journal phase)" != start ] || remove_facts service.pending
    save_fact service.certificate "$fingerprint"
}
