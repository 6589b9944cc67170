"""The default e-mail address of a user: legal for the server whatever the user's id is."""

from __future__ import annotations

import hashlib
import re

from ..schema import text

EMAIL_ADDRESS = text(r'(?:"[^\s"]+"|[^\s@"])+@[^\s@]+', hint="must be an e-mail address", max_length=200)

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]"
_QUOTED = rf"(?:{_ATOM}|[.(),<>\[\]:;@ ])"
_LOCAL_PART = re.compile(rf'(?:{_ATOM}+|"{_QUOTED}+")(?:\.(?:{_ATOM}+|"{_QUOTED}+"))*')
"""What the server takes before the ``@`` of an address, up to 64 characters: Hibernate Validator's grammar."""


def default_address(user_id: str) -> str:
    """An address under ``example.invalid``, where no mail arrives: the id's own, or one made from the id."""
    return f"{_local_part(user_id)}@example.invalid"


def _local_part(user_id: str) -> str:
    if len(user_id) <= 64 and _LOCAL_PART.fullmatch(user_id):
        return user_id
    readable = re.sub(r"[^A-Za-z0-9]+", "-", user_id)[:32].strip("-") or "user"
    return f"{readable}-{hashlib.sha256(user_id.encode()).hexdigest()[:12]}"
