"""What users and roles are checked against: their ids, and what is on the server."""

from __future__ import annotations

from collections.abc import Sequence

from ..client import LOOKUP_LIFETIME, NexusClient, segment
from ..errors import NotFound, Refused
from ..schema import text
from ..suggest import suggest

USER_ID = text(
    r"(?!\.{1,2}$)[^\s:/\\\0]+",
    hint="must have no white space, ':', '/', '\\' or NUL, and not be '.' or '..'",
    max_length=200,
)


def require_roles(client: NexusClient, roles: Sequence[str]) -> None:
    """Refuse a role that is not on the server: servers up to 3.77 silently take a new user with such a role."""
    existing: list[str] = []
    lists = (lambda path: client.cached_list(path, max_age=LOOKUP_LIFETIME), client.get_list)
    for read in lists:
        existing = [role["id"] for role in read("/v1/security/roles")]
        if set(roles) <= set(existing):
            return
    # The list may lack for a moment what has just been written (seen with 3.71); a single role does not.
    missing = [role for role in roles if role not in existing and not _has_role(client, role)]
    if not missing:
        return
    raise Refused(f"roles: {', '.join(missing)} is not on the server; {suggest(missing, existing)}")


def _has_role(client: NexusClient, role: str) -> bool:
    try:
        client.get_object(f"/v1/security/roles/{segment(role)}", source="default")
    except NotFound:
        return False
    return True
