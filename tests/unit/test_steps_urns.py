"""Which resource may remove the work of a host step, over histories of several runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.steps_shell import run

if TYPE_CHECKING:
    from pathlib import Path

_DEV = "urn:pulumi:dev::project::nexus-registry:index:NexusServer::"
URNS = {
    "OLD": f"{_DEV}nexus",
    "NEW": f"{_DEV}my server",
    "NESTED": f"{_DEV.replace('nexus-registry', 'team$nexus-registry', 1)}nexus",
    "OTHER": f"{_DEV.replace('dev', 'prod')}nexus",
}

HISTORIES = {
    "created and destroyed": "create OLD, delete OLD",
    "created before there were urns": "delete OLD",
    "renamed": "create OLD, create NEW, keep OLD, delete NEW",
    "moved into a component": "update OLD, create NESTED, keep OLD, delete NESTED",
    "renamed and back": "create OLD, create NEW, keep OLD, create OLD, keep NEW, delete OLD",
    "renamed, cut, and back": "create OLD, create NEW, keep NEW, delete OLD",
    "renamed with an alias": "create OLD, update NEW, delete NEW",
    "handed to another stack": "create OLD, create OTHER, keep OLD, delete OTHER",
    "created by another stack after the state was lost": "create OLD, create OTHER, delete OTHER",
    "tried by another stack": "create OLD, create OTHER, update OLD, keep OTHER, delete OLD",
}
"""What is run under which URN; keep: a delete that leaves everything in place."""


@pytest.mark.parametrize("history", HISTORIES)
def test_delete_removes_what_no_other_resource_manages(shell: list[str], history: str, tmp_path: Path) -> None:
    context = f'unit=nexus FACTS={tmp_path}/facts/nexus FACTS_ROOT={tmp_path}/facts\nput_file() {{ cat >"$1"; }}'
    for act in HISTORIES[history].split(", "):
        verb, who = act.split()
        claim = f"verb={verb.replace('keep', 'delete')} arg_urn='{URNS[who]}'\nclaim_step service"
        said = run(shell, f"{context}\n{claim}\necho acted\nnote_claim")
        if verb == "keep":
            assert said.startswith("service: nothing is removed, because urn:pulumi:")
            assert "acted" not in said
        else:
            assert said == "acted\n"
    assert not (tmp_path / "facts").exists()


def test_run_that_failed_claims_nothing(shell: list[str], tmp_path: Path) -> None:
    context = f"unit=nexus FACTS={tmp_path}/facts/nexus FACTS_ROOT={tmp_path}/facts verb=create arg_urn=x"
    run(shell, f"{context}\nstep() {{ claim_step service; fail no; }}\nstep\nnote_claim")
    assert not (tmp_path / "facts").exists()
