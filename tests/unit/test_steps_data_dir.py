"""What the steps find at a data directory: the server of another unit, an older database, no file system."""

from __future__ import annotations

import pytest

from tests.unit.unit_files import OURS, Host, step


@pytest.mark.parametrize(
    ("verb", "data", "also", "systemd", "said"),
    [
        ("update", "new", {}, "enabled inactive", "unit: changes from former to nexus together with data_dir"),
        ("update", "new", {}, "disabled active", "unit: changes from former to nexus together with data_dir"),
        ("update", "new", {}, "disabled inactive", "fine"),
        ("update", "data", {}, "enabled active", "fine"),
        ("create", "new", {}, "enabled active", "fine"),
        ("update", "new", {"nexus": "new"}, "enabled active", "fine"),
        ("update", "new", {"other": "new"}, "enabled active", "fine"),
        ("update", "new", {"unnoted": "new"}, "enabled active", "fine"),
        ("update", "new", {"noted": "new"}, "enabled active", "unit: changes from former to nexus together with"),
    ],
    ids=[
        "enabled",
        "active",
        "off",
        "unit alone",
        "another stack",
        "retried",
        "two stacks",
        "unnoted",
        "another's",
    ],
)
def test_unit_and_data_dir_in_one_run_are_refused(
    shell: list[str], host: Host, verb: str, data: str, also: dict[str, str], systemd: str, said: str
) -> None:
    """The former unit is found by its data directory, so it would keep running beside the new one."""
    for name, where in {"former": "data", **also}.items():
        if name in ("unnoted", "noted"):
            host.unit("nexus", OURS.format(root="/opt", data=host.folder / where))
            if name == "noted":
                (host.folder / "facts/nexus/prepare.urns").write_text("urn:pulumi:y\n")
            continue
        if name != "nexus":
            host.unit(name, OURS.format(root="/opt", data=host.folder / where), ActiveState=systemd.split()[1])
        (host.folder / "facts" / name).mkdir(exist_ok=True)
        (host.folder / "facts" / name / "prepare.urns").write_text("urn:pulumi:x\n")
    body = (
        f"systemctl() {{ echo {systemd.split()[0]}; }}\narg_urn=urn:pulumi:x arg_data_dir={host.folder}/{data}\n"
    )
    assert step(shell, host, f"{body}refuse_two_changes; echo fine", verb).startswith(said)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize(
    ("old", "new", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_new_data_dir_with_old_database_is_refused(
    shell: list[str], host: Host, old: bool, new: bool, refused: bool, unit: bool
) -> None:
    """The same holds after an interrupted change of unit that had removed the former unit only."""
    base = host.folder
    if unit:
        host.unit("nexus", OURS.format(root="/opt/nexus", data=f"{base}/before"))
    else:
        (base / "facts/nexus/service.data-dir").write_text(f"{base}/before\n")
    for folder, there in (("before", old), ("data", new)):
        (base / folder / "db").mkdir(parents=True)
        (base / folder / "db/nexus.mv.db").touch() if there else None
    said = step(shell, host, "former_unit=; refuse_other_database; echo fine")
    expected = f"data_dir: nexus.service keeps its data in {base}/before, and there is no database in {base}/data."
    assert said.startswith(expected) if refused else said == "fine\n"


@pytest.mark.parametrize(
    ("before", "mounted", "content", "refused"),
    [
        ("/ {0} {0}/data", "/ {0}", "", True),
        ("/ {0}", "/ {0}/data {0}/dat", "etc/ssl", True),
        ("/ {0}", "/ {0}", "", False),
        ("/ {0}", "/", "db", False),
        ("/ {0}", "/", "blobs", False),
        ("/ {0}/dat", "/", "", False),
    ],
    ids=["not mounted", "files of steps", "mounted", "copied", "external database", "on the root disk"],
)
def test_data_dir_whose_file_system_is_not_mounted_is_refused(
    shell: list[str], host: Host, before: str, mounted: str, content: str, refused: bool
) -> None:
    """Nexus would start on an empty directory. The new unit has another name."""
    base = host.folder
    (base / "facts/former").mkdir()
    (base / "facts/former/service.data-dir").write_text(f"{base}/data\n")
    for name, places in {"before": before, "mounted": mounted}.items():
        lines = (f"1 2 3:4 / {place.format(base)} rw - ext4 /dev/x rw\n" for place in places.split())
        (base / name).write_text("".join(lines))
    noted = f'put_file() {{ cat >"$1"; }}\nFACTS={base}/facts/former MOUNTS={base}/before\nnote_mount\n'
    (base / "data" / content).mkdir(parents=True, exist_ok=True)
    said = step(shell, host, f"{noted}FACTS={base}/facts/nexus MOUNTS={base}/mounted\nrefuse_unmounted; echo fine")
    assert said.startswith(f"data_dir: the file system at {base}") is refused
    assert (said == "fine\n") is not refused
