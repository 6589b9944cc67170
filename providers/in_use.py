"""What uses an object on the server, for the message of a refused deletion and for the wait after one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .client import NexusClient


def repositories_with(client: NexusClient, uses: Callable[[Mapping[str, Any]], bool]) -> list[str]:
    """Names of the repositories whose settings use an object."""
    return [one["name"] for one in client.get_list("/v1/repositorySettings") if uses(one)]


def in_use(repositories: Sequence[str], others: Sequence[str] = ()) -> str:
    """The message for an object that was not deleted because others use it; empty when there are none."""
    users = [*(f"repository {name!r}" for name in repositories), *others]
    if not users:
        return ""
    return (
        f"is in use by {', '.join(users)}, and was not deleted. Change or delete them first. To give it another "
        "name, declare another resource"
    )
