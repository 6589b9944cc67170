"""Which units of a host start a Nexus, and with what: read from unit files and from what systemd says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.unit_files import OURS, Host, start


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_every_unit_of_nexus_is_listed(shell: list[str], host: Host) -> None:
    base = host.folder
    host.unit("nexus", OURS.format(root="/opt/nexus", data=f"{base}/data"))
    host.unit("second", OURS.format(root=f"{base}/link", data=f"{base}/data2"))
    (base / "link").symlink_to(base / "opt")
    launcher = host.install("hand/nexus-3.71.0-06")
    (base / "hand/nexus").symlink_to("nexus-3.71.0-06")
    linked = base / "hand/nexus/bin/nexus"
    host.unit("by-hand", "# Nexus\n", "lib", ExecStart=start(linked, "start"), User="repo")
    host.unit("shell", "Nexus", ExecStart=start("/bin/su", "-c", f"'{launcher} run'"))
    script = base / "start.sh"
    script.write_text(f"#!/bin/sh\nexec {linked} run\n")
    host.unit("script", "Nexus", ExecStart=start(script), Environment=f'"_JAVA_OPTIONS=-X -Dkaraf.data={base}/d"')
    host.unit("cron", "# not nexus\n", ExecStart=start("/usr/sbin/cron", "-f"))
    host.unit("cron", "nexus", "lib")  # the one of above comes before it
    (base / "etc/alias.service").symlink_to(base / "lib/by-hand.service")
    (base / "etc/masked.service").symlink_to("/dev/null")
    for folder in ("etc", "lib"):
        (base / folder / "broken.service").symlink_to(base / "nowhere")
    host.unit("masked", OURS.format(root="/opt/x", data="/x"), "lib")
    template = host.install("template/nexus-3.71.0-06")
    host.unit("team@", "# Nexus of team %i\n", "lib", ExecStart=start("/usr/sbin/cron"))
    (base / "etc/multi-user.target.wants").mkdir()
    for instance in ("a", "b"):  # one of them has a file of its own
        (base / f"etc/multi-user.target.wants/team@{instance}.service").symlink_to(base / "lib/team@.service")
        host.says["team@" + instance, "ExecStart"] = start(template, "run")
    host.unit("team@b", OURS.format(root="/opt/b", data=f"{base}/b"))
    listed = host.run(shell, "nexus_units").splitlines()
    assert sorted(listed) == [
        f"by-hand|other|repo||{base}/hand|{base}/hand/sonatype-work/nexus3",
        f"nexus|ours|nexus|repo|/opt/nexus|{base}/data",
        f"script|other|||{base}/hand|{base}/d",
        f"second|ours|nexus|repo|{base}/opt|{base}/data2",
        f"shell|other|||{base}/hand|{base}/hand/sonatype-work/nexus3",
        f"team@a|other|||{base}/template|{base}/template/sonatype-work/nexus3",
        f"team@b|ours|nexus|repo|/opt/b|{base}/b",
    ]


@pytest.mark.parametrize(
    ("argument", "value", "found"),
    [
        ("data_dir", "{base}/link", "second ours\n"),
        ("data_dir", "{base}/nowhere", ""),
        ("install_root", "/opt/nexus", "second ours\n"),
        ("user", "nexus", "second ours\n"),
        ("user", "other", ""),
    ],
)
def test_other_units_are_found_by_shared_directories(
    shell: list[str], host: Host, argument: str, value: str, found: str
) -> None:
    base = host.folder
    (base / "link").symlink_to(base / "data")
    for name in ("nexus", "second"):
        host.unit(name, OURS.format(root="/opt/nexus", data=f"{base}/data"))
    assert host.run(shell, f"other_units_with {argument} {value.format(base=base)}") == found


def test_other_unit_has_no_launcher(shell: list[str], host: Host) -> None:
    host.unit("nexus", "nexus", ExecStart=start("/usr/sbin/nginx", "-c", "/etc/nexus/nginx.conf"))
    assert host.run(shell, "nexus_launcher nexus || echo none") == "none\n"
