"""The resources in a program of Pulumi's Automation API, which has no folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from sysconfig import get_path

import pulumi
import pytest
from nexus_registry.providers import DockerHostedRepository, Role, User
from pulumi import automation

from tests.unit.fake import serve
from tests.unit.stored import Stored

from .conftest import NO_CLI

pytestmark = [pytest.mark.pulumi, NO_CLI]


def program() -> None:
    DockerHostedRepository("images", name="images")
    role = Role("readers", role_id="readers", privileges=["nx-repository-view-docker-images-read"])
    user = User("reader", user_id="reader", password="reader-pw", roles=[role.role_id])
    pulumi.export("user", user.user_id)


@pytest.fixture
def nexus() -> Stored:
    return Stored()


@pytest.fixture
def stack(nexus: Stored, tmp_path: Path) -> Iterator[automation.Stack]:
    (tmp_path / "state").mkdir()
    environment = {
        "PATH": f"{get_path('scripts')}:{os.environ['PATH']}",  # of the environment that has the package
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": "right",
    }
    with serve(nexus) as fake:
        made = automation.create_stack(
            "inline",
            project_name="platform",
            program=program,
            opts=automation.LocalWorkspaceOptions(env_vars=environment),
        )
        made.set_config("nexus-registry:url", automation.ConfigValue(fake.url))
        made.set_config("nexus-registry:password", automation.ConfigValue("pw", secret=True))
        yield made


def test_program_of_automation_api_lives_its_life(stack: automation.Stack, nexus: Stored) -> None:
    assert stack.up().outputs["user"].value == "reader"
    assert (set(nexus.repositories), set(nexus.roles), set(nexus.users)) == ({"images"}, {"readers"}, {"reader"})
    assert stack.preview(expect_no_changes=True).change_summary == {"same": 4}
    nexus.roles["readers"]["privileges"] = []
    stack.refresh()
    assert stack.up().summary.resource_changes == {"same": 3, "update": 1}
    assert nexus.roles["readers"]["privileges"] == ["nx-repository-view-docker-images-read"]
    stack.destroy()
    assert [nexus.repositories, nexus.roles, nexus.users] == [{}, {}, {}]
