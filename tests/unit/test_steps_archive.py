"""What an archive may hold: nothing of it comes to lie outside, belongs to anyone or gives a right."""

from __future__ import annotations

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.steps_shell import run

TOP = "nexus-3.71.0-06"
LAUNCHER = {"name": f"{TOP}/bin/nexus", "mode": 0o6777}


def pack(path: Path, *members: dict[str, object]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for member in ({"name": TOP, "type": tarfile.DIRTYPE, "mode": 0o777}, LAUNCHER, *members):
            info = tarfile.TarInfo()
            for key, value in member.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO())


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ({}, ""),
        ({"name": f"{TOP}/jdk", "type": tarfile.SYMTYPE, "linkname": "bin/../bin"}, ""),
        ({"name": f"{TOP}/jdk", "type": tarfile.LNKTYPE, "linkname": f"{TOP}/bin/nexus"}, ""),
        ({"name": "{base}/absolute"}, ""),
        ({"name": f"{TOP}/../../../climbs"}, "could not be unpacked"),
        ({"name": f"{TOP}/jdk", "type": tarfile.SYMTYPE, "linkname": "{base}"}, f"leads out of it, {TOP}/jdk"),
        (
            {"name": f"{TOP}/jdk", "type": tarfile.SYMTYPE, "linkname": "../../other"},
            "a link that leads out of it",
        ),
        ({"name": f"{TOP}/fifo", "type": tarfile.FIFOTYPE}, f"contains {TOP}/fifo, which is no file"),
    ],
    ids=["plain", "link within", "hard link", "absolute path", "..", "link out", "link up", "fifo"],
)
def test_archive_stays_in_its_directory(
    shell: list[str], tmp_path: Path, member: dict[str, object], said: str
) -> None:
    filled = {
        key: value.format(base=tmp_path) if isinstance(value, str) else value for key, value in member.items()
    }
    pack(tmp_path / "nexus.tar.gz", *([filled] if filled else []))
    root = tmp_path / "root"
    (tmp_path / "run").mkdir()
    body = f"""chown() {{ echo "chown $*" >>{tmp_path}/asked; }}
sync() {{ [ -e {root}/{TOP} ] || echo "on the disk before the rename" >>{tmp_path}/asked; }}
check_archive() {{ :; }}
arg_install_root={root} arg_version=3.71.0-06 install_dir={root}/{TOP} arg_sha256=x arg_url= unit=nexus
temp_dir={tmp_path}/run FACTS={tmp_path}/run/facts
arg_path={tmp_path}/nexus.tar.gz
unpack_version
"""
    shown = run(shell, body, "archive")
    assert said in shown
    assert (root / TOP).exists() == (not said), shown
    assert not list(tmp_path.glob("[!rna]*"))  # root, run, nexus.tar.gz, asked
    assert not (tmp_path / "absolute").exists()
    if not said:
        assert (root / TOP / "bin/nexus").stat().st_mode & 0o7777 == 0o755
        assert (root / TOP).stat().st_mode & 0o7777 == 0o755
        assert "chown -R -h root:root" in (tmp_path / "asked").read_text()
        assert (tmp_path / "asked").read_text().endswith("on the disk before the rename\n")


def test_archive_is_unpacked_as_it_was_verified(shell: list[str], tmp_path: Path) -> None:
    """Whoever may write the file at archive_path can replace it after its checksum was compared."""
    pack(tmp_path / "nexus.tar.gz")
    pack(tmp_path / "other.tar.gz", {"name": f"{TOP}/added"})
    digest = sha256((tmp_path / "nexus.tar.gz").read_bytes()).hexdigest()
    root = tmp_path / "root"
    body = f"""chown() {{ :; }}
log() {{ [ "$1" != "the checksum holds" ] || cp {tmp_path}/other.tar.gz {tmp_path}/nexus.tar.gz; }}
arg_install_root={root} arg_version=3.71.0-06 install_dir={root}/{TOP} arg_sha256={digest} arg_url= unit=nexus
temp_dir={tmp_path} FACTS={tmp_path}/facts arg_path={tmp_path}/nexus.tar.gz
unpack_version
"""
    shown = run(shell, body, "archive")
    assert (root / TOP / "bin/nexus").exists(), shown
    assert not (root / TOP / "added").exists()
    assert {path.name for path in root.iterdir()} == {TOP}
