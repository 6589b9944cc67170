"""What a change of owner does outside of the data directory, run by three shells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.steps_shell import run

STUBS = """
getent() { case $2 in 990 | nexus) echo nexus:x:990:990:: ;; *) echo new:x:991:991:: ;; esac; }
run_with_progress() { shift 2; echo "$*"; }
other_unit_of() { echo "$other"; }
"""


@pytest.mark.parametrize(
    ("former", "made", "other", "given"),
    [
        ("990", "nexus", "", ["linked", "store"]),
        ("990", "nexus", "second", ["linked"]),
        ("990", "", "", ["linked"]),
        ("991", "nexus", "", []),
        ("0", "nexus", "", []),
    ],
    ids=["own account", "shared account", "account of somebody", "the same user", "root"],
)
def test_directories_outside_are_given_or_named(
    shell: list[str], tmp_path: Path, former: str, made: str, other: str, given: list[str]
) -> None:
    facts = tmp_path / "facts"
    facts.mkdir()
    if made:
        (facts / "account.user-made").write_text(f"{made}\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "data/blobs").symlink_to(tmp_path / "linked")
    body = f"""{STUBS}
FACTS={facts} temp_dir={tmp_path} other={other} arg_user=new arg_group=new arg_data_dir={tmp_path}/data
save_fact() {{ echo "$2" >"$FACTS/$1"; }}
outside_dirs() {{ echo {tmp_path}/linked; echo {tmp_path}/store; }}
give_outside {former}
"""
    said = run(shell, body, "account")
    chowned = [line.rpartition("/")[2] for line in said.splitlines() if line.startswith("chown")]
    assert chowned == given, said
    named = f"give it by hand: chown -R new:new {tmp_path}/store"
    assert (named in said) == (given == ["linked"])
    recorded = facts / "account.outside-given"
    assert recorded.exists() == bool(given)


def test_directories_outside_are_found_by_owner(shell: list[str], tmp_path: Path) -> None:
    """The search itself starts at /; here only what links lead to is small enough."""
    for name in ("data/blobs", "data/etc", "elsewhere/deep/store"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data/blobs/store").symlink_to("../../elsewhere/deep/store")
    (tmp_path / "data/etc/within").symlink_to("../blobs")
    (tmp_path / "data/etc/gone").symlink_to("/nowhere")
    body = f"timeout() {{ shift; echo {tmp_path}/data/etc; }}\narg_data_dir={tmp_path}/data\noutside_dirs "
    assert run(shell, body + str(os.getuid()), "account") == f"{tmp_path}/elsewhere/deep/store\n"
    assert run(shell, body + "4711", "account") == ""


@pytest.mark.parametrize(
    ("redirect", "of_unit", "others", "found"),
    [
        ("8>>", False, False, True),
        ("8<", False, False, False),
        ("8>>", True, False, True),
        ("8>>", True, True, False),
    ],
    ids=["writer", "reader", "the service", "not the service"],
)
def test_only_writers_of_another_account_block_change_of_owner(
    shell: list[str], tmp_path: Path, redirect: str, of_unit: bool, others: bool, found: bool
) -> None:
    """A log shipper reads nexus.log all the time."""
    (tmp_path / "nexus.log").touch()
    body = f"""arg_user=a arg_group=b arg_data_dir={tmp_path}
owner_numbers() {{ echo 1:1; }}
account_of() {{ [ -z "$1" ] || echo 4711:4711; }}
unit_property() {{ :; }}
is_of_unit() {{ {str(of_unit).lower()}; }}
exec {redirect}{tmp_path}/nexus.log
foreign_process {"others" if others else "all"}"""
    assert ("(pid " in run(shell, body, "account")) == found


@pytest.mark.parametrize(
    ("entries", "known", "owner", "refused"),
    [
        (["thesis/chapter"], False, "4711", True),
        (["thesis/chapter"], True, "4711", False),
        (["thesis/chapter"], False, "own", False),
        (["thesis/chapter", "etc/nexus.properties"], False, "4711", False),
        (["db/nexus.mv.db"], False, "4711", False),
        (["etc/ssl/keystore.jks"], False, "4711", False),
        (["etc/ssl/"], False, "4711", False),
        (["lost+found/1"], False, "4711", False),
        ([], False, "4711", False),
    ],
    ids=[
        "files of others",
        "taken before",
        "own files",
        "Nexus and more",
        "database",
        "cut before the first start",
        "destroyed before the first start",
        "new disk",
        "empty",
    ],
)
def test_directory_of_others_is_not_taken(
    shell: list[str], tmp_path: Path, entries: list[str], known: bool, owner: str, refused: bool
) -> None:
    """A directory with files of others is refused as data_dir unless Nexus wrote in it."""
    data, facts = tmp_path / "data", tmp_path / "facts"
    data.mkdir()
    facts.mkdir()
    for entry in entries:
        (data / entry).parent.mkdir(parents=True)
        (data / entry).touch() if not entry.endswith("/") else (data / entry).mkdir()
    if known:
        (facts / "account.data-dirs").write_text(f"{data}\n")
    user = os.getuid() if owner == "own" else owner
    group = os.getgid() if owner == "own" else owner
    body = f"FACTS={facts} arg_user={user} arg_group={group} arg_data_dir={data}\nrequire_nexus_data; echo taken"
    said = run(shell, body, "account")
    assert ("data_dir: " in said and "thesis" in said) == refused, said
    assert said.endswith("taken\n") != refused


@pytest.mark.parametrize(("made", "left"), [("nexus", []), ("", ["old"])], ids=["own user", "user of somebody"])
def test_group_of_own_user_is_removed_with_user(
    shell: list[str], tmp_path: Path, made: str, left: list[str]
) -> None:
    """A change of group leaves the former one as the primary group of the user that was made with it."""
    facts, etc = tmp_path / "facts/nexus", tmp_path / "etc"
    facts.mkdir(parents=True)
    etc.mkdir()
    (etc / "passwd").write_text("nexus:x:990:980::/:/bin/false\n")
    (etc / "group").write_text("old:x:980:\nnew:x:981:\n")
    (facts / "account.group-made").write_text("old\nnew\n")
    (facts / "account.user-made").write_text(made) if made else None
    body = f"""FACTS_ROOT={tmp_path}/facts FACTS={facts} unit=nexus arg_data_dir={tmp_path}/none arg_user=nexus
getent() {{ grep "^${{2:-}}" {etc}/$1; }}
put_file() {{ cat >"$1"; }}
nexus_units() {{ :; }}
outside_dirs() {{ :; }}
usermod() {{ :; }}
userdel() {{ sed -i "/^$1:/d" {etc}/passwd; }}
groupdel() {{ sed -i "/^$1:/d" {etc}/group; }}
remove_former_accounts nexus new
"""
    assert "the group old stays: it is the user nexus's\n" in run(shell, body, "account")
    run(shell, f"{body.rpartition('remove_former')[0]}remove_former_accounts '' ''\n", "account")
    assert [line.partition(":")[0] for line in (etc / "group").read_text().splitlines()] == left
    assert not list(facts.glob("account.*-made"))
