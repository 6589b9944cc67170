"""A change of version: what preview and host refuse alike, and that a run cut anywhere loses nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from nexus_registry.components.host import steps
from nexus_registry.components.host.version import InstalledVersionProvider
from nexus_registry.providers.compat import version_change_error

from tests.unit.steps_shell import parsed, run

CHANGES = [
    ("3.41.1-01", "3.62.0-01", False, ""),
    ("3.70.1-02", "3.70.1-03", False, ""),
    ("3.71.0-06", "3.100.0-01", False, ""),
    ("3.62.0-01", "3.41.1-01", False, "older"),
    ("3.100.0-01", "3.71.0-06", False, "older"),
    ("3.70.1-03", "3.70.1-02", False, "older"),
    ("3.70.1-02", "3.71.0-06", False, "database migrator by hand (https://help.sonatype.com/en/orient-3-70"),
    ("3.41.1-01", "3.96.0-01", False, "database migrator by hand"),
    ("3.70.1-02", "3.71.0-06", True, ""),
    ("3.69.0-02", "3.70.1-02", True, "the migration is manual"),
    ("3.60.0-02", "3.69.0-02", True, ""),
]
"""Version that ran, version desired, whether the data are in H2 before 3.71, and what is said against it."""


@pytest.mark.parametrize(("before", "desired", "h2", "said"), CHANGES)
def test_preview_refuses_unsupported_upgrade(before: str, desired: str, h2: bool, said: str) -> None:
    """A preview refuses a version that the data cannot go to."""
    olds = {"version": before, "h2": h2}
    failures = InstalledVersionProvider().check(olds, {"version": desired, "h2": h2}).failures
    assert [failure.property for failure in failures] == ["version"] * bool(said)
    assert all(said in failure.reason and before in failure.reason for failure in failures)
    assert bool(version_change_error(before, desired, h2=h2)) == bool(said)


def test_first_or_unknown_version_passes() -> None:
    """A first version or one that is not known yet passes."""
    provider = InstalledVersionProvider()
    assert not provider.check({}, {"version": "3.71.0-06"}).failures
    assert not provider.check({"version": "3.71.0-06"}, {"version": provider}).inputs.get("h2")
    assert [one.property for one in provider.check({}, {"version": "latest"}).failures] == ["version"]


@pytest.mark.parametrize(("before", "desired", "h2", "said"), CHANGES)
def test_host_refuses_it_too(
    shell: list[str], tmp_path: Path, before: str, desired: str, h2: bool, said: str
) -> None:
    for folder in ("db", "etc"):
        (tmp_path / folder).mkdir()
    if h2:
        (tmp_path / "db/nexus.mv.db").touch()
        (tmp_path / "etc/nexus.properties").write_text("nexus.datastore.enabled=true\n")
    body = f"from={before} to={desired}; refuse_versions; echo fine"
    shown = run(shell, parsed(f"--data-dir {tmp_path}", body))
    assert shown == "fine\n" if not said else said in shown
    assert not said or shown.startswith(f"version: the data in {tmp_path} was last run by Nexus {before}, not")


@pytest.mark.parametrize(
    ("free_mb", "h2", "needed"), [(4100, False, 4099), (4098, False, 4099), (9, True, 6), (5, True, 6)]
)
def test_too_little_room_is_refused_before_anything_is_done(
    shell: list[str], tmp_path: Path, free_mb: int, h2: bool, needed: int
) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / ("nexus.mv.db" if h2 else "data")).touch()
    version = "3.71.0-06" if h2 else "3.41.1-01"
    body = f"from={version}; du() {{ echo 2500 db; }}; df() {{ echo x x x {free_mb * 1024}; }}\n"
    body += "refuse_little_room; echo fine"
    shown = run(shell, parsed(f"--data-dir {tmp_path}", body))
    assert (shown == "fine\n") == (free_mb >= needed)
    assert shown == "fine\n" or f"needs {needed} MB of free disk" in shown


WAY_BACK = """unit_file() { echo $arg_data_dir/unit; }
unit_origin() { echo "$origin"; }
derive_https_xml() { :; }
stock_args() { :; }
refuse_said='version: no' install_dir=/x java=/x origin=ours from=3.41.1-01 to=3.62.0-01
cd $arg_data_dir
mkdir -p db etc/fabric root/nexus-$from/bin
cp /bin/true root/nexus-$from/bin/nexus
arg_install_root=$arg_data_dir/root
printf '%s\\n' User=nexus Group=nexus "ExecStart=$PWD/root/nexus/bin/nexus run" "X=-Dkaraf.data=$PWD -D" >unit
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (":", ""),
        ("echo 'jdbcUrl=jdbc\\:h2\\:file\\:${karaf.data}/db/nexus' >etc/fabric/nexus-store.properties", ""),
        (
            "echo 'nexus.datastore.nexus.jdbcUrl=jdbc:h2:file:/x/db/nexus' >etc/nexus.properties",
            "leads to a datab",
        ),
        (
            "echo 'jdbcUrl=jdbc\\:postgresql\\://x' >etc/fabric/nexus-store.properties",
            "leads to a database elsewhere",
        ),
        (
            "echo nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://x >etc/nexus.properties",
            "leads to a database elsew",
        ),
        ("origin=other", "there is no nexus.service of this program with"),
        ("rm root/nexus-3.41.1-01/bin/nexus", "to go back to. Set version to 3.41.1-01 first"),
        ("arg_user=another", "its unit has another User. Set version to 3.41.1-01 first"),
        ("arg_data_dir=$PWD/etc; cp unit etc/", "its unit has another data_dir"),
        ("ln -s /srv keystores", "keystores is a link or a disk of its own"),
        ("ln -s /srv db/component", "there are links in"),
    ],
)
def test_upgrade_with_external_database_is_refused(
    shell: list[str], tmp_path: Path, change: str, said: str
) -> None:
    """What could not be put back is refused."""
    shown = run(shell, parsed(f"--data-dir {tmp_path}", f"{WAY_BACK}{change}\nrefuse_without_rollback; echo fine"))
    assert shown == "fine\n" if not said else said in shown


STARTED = "Started Sonatype Nexus OSS 3.62.0-01\n"


@pytest.mark.parametrize(
    ("logged", "seen"),
    [
        ("echo $started >>nexus.log", True),
        ("echo ERROR >>nexus.log", False),
        ("echo $started | sed s/62/41/ >>nexus.log", False),
        ("echo $started >>nexus.log; gzip -c nexus.log >nexus-2026-11-24.log.gz; rm nexus.log", True),
        ("gzip -c nexus.log >nexus-2026-11-24.log.gz; echo ERROR >nexus.log", False),
        ("mv nexus.log nexus-2026-11-24.log; echo $started >nexus.log", True),
        (": >nexus.log; echo $started >>nexus.log", True),
        ("mv nexus.log.1 nexus.log.2; echo $started >>nexus.log; cp nexus.log nexus.log.1; : >nexus.log", True),
        ("mv nexus.log.1 nexus.log.2; mv nexus.log nexus.log.1; echo ERROR >nexus.log", False),
        ("gzip -c nexus.log.1 >nexus.log.2.gz; mv nexus.log nexus.log.1; echo ERROR >nexus.log", False),
    ],
)
@pytest.mark.parametrize("before", ["", f"{STARTED}before\n"], ids=["first log", "earlier try"])
def test_new_version_started_is_read_from_log(
    shell: list[str], tmp_path: Path, before: str, logged: str, seen: bool
) -> None:
    """A version that came up after its run was cut is known by its log, also when that was rotated since."""
    (tmp_path / "log").mkdir()
    for name in ("nexus-2026-11-20.log", "nexus.log.1"):  # of earlier tries
        (tmp_path / "log" / name).write_text(f"{name}\n{STARTED}")
    (tmp_path / "log/nexus.log").write_text(before)
    body = f"""cd {tmp_path}/log; started='{STARTED.strip()}'
{{ echo phase start; journal_logs; }} >{tmp_path}/service.upgrade
{logged}
touch -d @0 *  # the clock was set back meanwhile
FACTS={tmp_path} to=3.62.0-01; if new_version_started; then echo yes; else echo no; fi"""
    assert run(shell, parsed(f"--data-dir {tmp_path}", body)) == ("yes\n" if seen else "no\n")


@pytest.mark.parametrize(("logged", "seen"), [("echo $started >>nexus.log", True), (":", False)])
def test_journal_of_earlier_version_is_read(shell: list[str], tmp_path: Path, logged: str, seen: bool) -> None:
    """It holds inode and size of nexus.log and the names of the rotated files."""
    (tmp_path / "log").mkdir()
    for name in ("nexus.log", "nexus.log.1", "nexus-2026-11-20.log"):
        (tmp_path / "log" / name).write_text(STARTED)
    body = f"""cd {tmp_path}/log; started='{STARTED.strip()}'
{{ stat -c 'log %i %s' nexus.log; echo logs ./nexus-2026-11-20.log; }} >{tmp_path}/service.upgrade
{logged}
FACTS={tmp_path} to=3.62.0-01; if new_version_started; then echo yes; else echo no; fi"""
    assert run(shell, parsed(f"--data-dir {tmp_path}", body)) == ("yes\n" if seen else "no\n")


@pytest.mark.parametrize(
    ("files", "there"),
    [
        (["db/nexus.mv.db"], True),
        (["db/component/database.ocf"], True),
        (["db/lost+found/x"], False),
        (["etc/nexus.properties"], False),
        (["etc/fabric/nexus-store.properties"], False),
        (["etc/fabric/nexus-store.properties:jdbcUrl=jdbc\\:h2\\:file\\:${karaf.data}/db/nexus"], False),
        (["etc/fabric/nexus-store.properties:jdbcUrl=jdbc\\:postgresql\\://x"], True),
        (["etc/nexus.properties: nexus.datastore.nexus.jdbcUrl = jdbc\\:postgresql\\://x"], True),
        (["etc/nexus.properties:#nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://x"], False),
    ],
)
@pytest.mark.parametrize("linked", [False, True])
def test_database_is_file_in_db_or_jdbc_url(
    shell: list[str], tmp_path: Path, files: list[str], there: bool, linked: bool
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "db").symlink_to("elsewhere") if linked else (tmp_path / "db/empty").mkdir(parents=True)
    for file in files:
        name, _, text = file.partition(":")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    body = "if has_database; then echo yes; else echo no; fi"
    assert run(shell, parsed(f"--data-dir {tmp_path}", body)) == ("yes\n" if there else "no\n")


def test_interrupted_upgrade_that_started_is_kept(shell: list[str], tmp_path: Path) -> None:
    """A cut change that came up keeps the version that is wanted now."""
    versions = ["3.41.1-01", "3.62.0-01", "3.70.1-02", "3.30.0-01"]
    for version in versions:
        (tmp_path / f"nexus-{version}").mkdir()
        (tmp_path / f"nexus-{version}/.nexus-registry").touch()
    (tmp_path / "data/etc").mkdir(parents=True)
    body = f"put_file() {{ :; }}\nowner=a:b FACTS={tmp_path}/facts from={versions[0]} to={versions[1]}\n"
    body += "finish_upgrade"
    flags = f"--install-root {tmp_path} --data-dir {tmp_path}/data --version {versions[2]}"
    run(shell, parsed(flags, body))
    assert {path.name for path in tmp_path.glob("nexus-*")} == {f"nexus-{version}" for version in versions[:3]}


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("data-dir /old/data\ninstall-root /old/root\nowner x:y\n", "/old/data /old/root x:y"),
        ("", "/srv/nexus /opt/nexus nexus:nexus"),
    ],
    ids=["of this program", "of an earlier program, which did not write where"],
)
def test_interrupted_upgrade_is_rolled_back_in_place(
    shell: list[str], tmp_path: Path, lines: str, where: str
) -> None:
    """A cut change is undone where it was made."""
    (tmp_path / "before").mkdir()
    (tmp_path / "before/service.upgrade").write_text(f"phase change\nfrom 3.41.1-01\nto 3.62.0-01\n{lines}")
    body = f"""FACTS_ROOT={tmp_path} former_unit=before left_stopped= owner=nexus:nexus
new_version_started() {{ return 1; }}
save_fact() {{ :; }}
is_up() {{ return 1; }}
restore() {{ echo "back $unit $arg_data_dir $arg_install_root $owner"; }}
resume_upgrade
echo "then $unit $arg_data_dir $arg_install_root $owner; $left_stopped"
"""
    assert run(shell, parsed("", body)).splitlines()[1:] == [
        f"back before {where}",
        "version, configuration and database are those of 3.41.1-01",
        "then nexus /srv/nexus /opt/nexus nexus:nexus; before",
    ]


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
            (model.base / "running").unlink(missing_ok=True)
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
    """A copy that cannot be made leaves the old version running."""
    model = Model(tmp_path, "copy")
    done = model.up(0)
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()[-1]
    assert said.startswith(
        f"version: the change from {OLD} to {NEW} failed ({tmp_path}/data/db could not be copied"
    )
    assert said.endswith(f"; version {OLD} runs again, with its configuration and database")
    assert model.versions == [OLD] * 5
    assert (tmp_path / "running").exists()
    assert not list((tmp_path / "facts/nexus").glob("service.upgrade*"))
