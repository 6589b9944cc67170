"""The archive has the layout and modes of the vendor's, and is reproducible."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from sandbox import archive
from sandbox.archive import nexus_archive

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("docker", [True, False], ids=["docker", "core"])
def test_archive_has_layout_of_vendor(docker: bool) -> None:
    made = nexus_archive(docker=docker)
    assert (made.version, made.name) == ("3.71.0-06", "nexus-3.71.0-06-unix.tar.gz")
    with tarfile.open(made.path) as tar:
        members = {member.name: member for member in tar}
        options = tar.extractfile("nexus-3.71.0-06/bin/nexus.vmoptions")
        assert options is not None
        assert b"-Dkaraf.data=../sonatype-work/nexus3" in options.read().splitlines()
    assert {name.partition("/")[0] for name in members} == {"nexus-3.71.0-06", "sonatype-work"}
    assert members["nexus-3.71.0-06/bin/nexus"].mode == 0o755
    assert members["nexus-3.71.0-06/bin/nexus.rc"].isfile()
    assert members["nexus-3.71.0-06/etc/jetty/jetty-https.xml"].isfile()
    assert members["sonatype-work/nexus3/log"].isdir()
    assert {(member.uid, member.gid, member.uname) for member in members.values()} == {(0, 0, "root")}
    assert ("nexus-3.71.0-06/standin/bin/docker-registry" in members) is docker


def test_archive_contains_no_path_of_its_build() -> None:
    with tarfile.open(nexus_archive().path) as tar:
        for member in tar:
            if "/standin/" in member.name and (file := tar.extractfile(member)) is not None:
                assert sys.prefix.encode() not in file.read(), member.name


def test_archive_is_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = nexus_archive()
    monkeypatch.setattr(archive, "CACHE", tmp_path)
    again = nexus_archive()
    assert again.path != first.path
    assert again.sha256 == first.sha256 == archive._sha256(again.path)


def test_archive_of_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there are 3\.71\.0-06, 3\.62\.0-01"):
        nexus_archive("3.70.0-01")
    with pytest.raises(ValueError, match="docker=False"):
        nexus_archive("3.62.0-01")
