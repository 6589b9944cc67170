"""A change of version that is cut anywhere loses nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from nexus_registry.components.host import steps

MODEL = r"""
FACTS_ROOT=$base/facts FACTS=$base/facts/nexus
unit=nexus verb=update arg_start_timeout=60 arg_data_dir=$base/data arg_install_root=$base/root
# Numbered over subshells too; the one whose number is $cut is not done any more, nor anything after it.
effect() {
    read -r count <"$base/count"
    echo $((count + 1)) >"$base/count"
    [ $((count + 1)) -ne "$cut" ] || kill -9 0
}
mv() { effect; command mv "$@"; }
rm() { effect; command rm "$@"; }
cp() { effect; command cp "$@"; }
ln() { effect; command ln "$@"; }
put_file() { effect; cat >"$1.part"; command mv "$1.part" "$1"; }
own_dir() { mkdir -p "$1"; }
sync() { :; }
systemctl() { :; }
run_with_progress() { shift 2; "$@"; }
unit_file() { echo "$base/unit"; }
unit_property() {
    case $1 in
        FragmentPath) echo "$base/unit" ;;
        Result) echo success ;;
        ActiveState) if [ -f "$base/running" ]; then echo active; else echo inactive; fi ;;
    esac
}
[ "$fails" != copy ] || cp() { return 1; }
refuse_without_rollback() { :; }
refuse_little_room() { :; }
stop_service() { command rm -f "$base/running"; }
db=$arg_data_dir/db/data owner=a:b work=$base
write_files() {
    put_file "$arg_data_dir/etc/nexus.properties" <<END
of=$arg_version
END
    symlink_is "$arg_version" || set_symlink "$arg_version"
    printf '%s\nof %s\n' "$UNIT_MARK" "$arg_version" | put_file "$base/unit"
}
# A start moves the database on in two halves; a first half alone is lost for every version.
run_nexus() {
    printf '%s\n' "$1" | put_file "$(version_record)"
    touch "$base/running"
    if [ "$(cat "$db")" = 3.41.1-01 ] && [ "$1" = 3.62.0-01 ]; then
        echo half >"$db"
        effect
        migrate
    elif [ "$(cat "$db")" != "$1" ]; then
        stop_service
        fail "the database is $(cat "$db"), not for $1"
    fi
    echo "Started Sonatype Nexus OSS $1" >>"$arg_data_dir/log/nexus.log"
    effect
}
migrate() {
    [ $fails = no ] || { stop_service && fail "it can't"; }
    echo 3.62.0-01 >"$db"
}
bring_up() { [ -f "$base/running" ] && ! has_fact service.upgrade || run_nexus "$arg_version"; }
start_unit() { start_began=0 && run_nexus "$from"; }
await_started() {
    [ "$(cat "$db")" != half ] || migrate
    [ "$(cat "$db")" = "$to" ] || run_nexus "$to"
}
resume_upgrade
plan_version
if [ -n "$from" ]; then change_version; else write_files && bring_up; fi
"""
OLD, NEW = "3.41.1-01", "3.62.0-01"


class Model:
    """A server's files, and the service step over a Nexus that is played."""

    def __init__(self, base: Path, fails: str) -> None:
        self.base, self.fails = base, fails
        for folder in ("facts/nexus", "data/db", "data/etc", "data/log", f"root/nexus-{OLD}", f"root/nexus-{NEW}"):
            (base / folder).mkdir(parents=True)
        (base / "data/db/data").write_text(f"{OLD}\n")
        (base / "data/log/nexus.log").touch()
        (base / "data/etc/nexus.properties").write_text(f"of={OLD}\n")
        (base / "data/etc/nexus-registry.version").write_text(f"{OLD}\n")
        (base / "unit").write_text(f"# Written by nexus-registry\nof {OLD}\n")
        (base / "root/nexus").symlink_to(f"nexus-{OLD}")
        (base / "running").touch()

    def up(self, cut: int) -> subprocess.CompletedProcess[bytes]:
        """One run of the step, killed with all its children before its effect of this number."""
        (self.base / "count").write_text("0\n")
        given = f"base={self.base} cut={cut} fails={self.fails} arg_version={NEW}\n"
        script = steps.script("service") + given + MODEL
        return subprocess.run(
            ["dash", "-s"], input=script.encode(), capture_output=True, start_new_session=True, check=False
        )

    def boot(self) -> None:
        """The host starts again after a power loss, and starts what the unit and the symlink lead to."""
        version, db = self.versions[-1], self.base / "data/db/data"
        (self.base / "running").unlink(missing_ok=True)
        if not db.exists():
            db.parent.mkdir()
            db.write_text("empty\n")
        elif (db.read_text(), version) == (f"{OLD}\n", NEW):
            db.write_text("half\n" if self.fails == "yes" else f"{NEW}\n")
            if self.fails == "no":
                (self.base / "data/log/nexus.log").write_text(f"Started Sonatype Nexus OSS {NEW}\n")

    @property
    def versions(self) -> list[str]:
        """What each part says whose it is."""
        etc = self.base / "data/etc"
        files = (
            self.base / "data/db/data",
            etc / "nexus-registry.version",
            etc / "nexus.properties",
            self.base / "unit",
        )
        said = [file.read_text().split()[-1].removeprefix("of=") if file.exists() else "" for file in files]
        return [*said, (self.base / "root/nexus").readlink().name.removeprefix("nexus-")]


@pytest.mark.parametrize("power", ["on", "off"])
@pytest.mark.parametrize("fails", ["no", "yes"])
def test_change_of_version_may_be_cut_anywhere(tmp_path: Path, fails: str, power: str) -> None:
    for cut in range(1, 99):
        model = Model(tmp_path / str(cut), fails)
        first = model.up(cut)
        if first.returncode != -9:
            break
        if power == "off":
            model.boot()
        stored = model.base / "data/db/stored"
        whole = (model.base / "data/db").exists() and len({model.versions[0], model.versions[-1]}) == 1
        if whole:
            stored.touch()  # a person starts what is there, and stores something
        done = model.up(0)
        shown = f"cut before effect {cut}: {done.stdout.decode()}{done.stderr.decode()}"
        desired = OLD if fails == "yes" and "cut" not in model.versions and done.returncode else NEW
        assert model.versions == [desired] * 5, shown
        assert done.returncode == (desired == OLD), shown
        assert not list(model.base.glob("facts/nexus/service.upgrade*")), shown
        assert (model.base / "running").exists(), shown
        assert stored.exists() == whole, shown
        if desired == NEW:
            kept = model.base / f"data/upgrade-copy/{OLD}"
            assert (kept / "db/data").read_text() == f"{OLD}\n", shown
    assert cut > 15
    assert first.returncode == (fails == "yes")
    assert model.versions == [OLD if fails == "yes" else NEW] * 5


def test_failed_copy_keeps_old_version_running(tmp_path: Path) -> None:
    model = Model(tmp_path, "copy")
    done = model.up(0)
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()[-1]
    assert said.startswith(
        f"version: the change from {OLD} to {NEW} failed. The reason: data_dir: {tmp_path}/data/db could not be"
    )
    assert said.endswith(f" Version {OLD} runs again, with its configuration and database.")
    assert model.versions == [OLD] * 5
    assert (tmp_path / "running").exists()
    assert not list((tmp_path / "facts/nexus").glob("service.upgrade*"))
