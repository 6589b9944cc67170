"""``nexus-registry doctor URL`` at a registry that works: with a login, a push and a look at Nexus."""

from __future__ import annotations

import pytest
from nexus_registry.cli.registry import Target, examine

from .docker_api import Api, Repository


@pytest.mark.usefixtures("token_realm", "no_anonymous")
def test_registry_that_works_has_no_finding(repository: Repository, admin: Api) -> None:
    username, password = admin.auth or ("", "")
    target = Target(
        url=repository.registry.url,
        nexus=repository.nexus.url,
        username=username,
        password=password,
        anonymous_pull=False,
        image=f"{repository.name}/doctor",
    )
    assert [one for one in examine(target) if one.code != "space"] == []
    assert repository.registry.call("GET", f"/v2/{repository.name}/doctor/tags/list").status_code in (200, 404)
    wrong = Target(url=target.url, username=username, password="wrong")
    assert [one.code for one in examine(wrong)] == ["login"]
