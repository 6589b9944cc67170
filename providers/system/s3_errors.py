"""What Nexus, or S3 behind it, says of a bucket that it can't use, by the property that is to be corrected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CAUSES = (
    (
        r"secret access key does not match|SignatureDoesNotMatch",
        "secret_access_key: {place} refuses the signature of {who}. Set the secret of that key",
    ),
    (
        r"access key id provided was invalid|InvalidAccessKeyId",
        "access_key_id: {place} does not know {who}. Correct it",
    ),
    (
        r"access.?denied|insufficient permissions",
        "access_key_id: {place} does not let {who} use the bucket {bucket!r}. Give it the permissions",
    ),
    (r"unable to execute HTTP request", "endpoint: Nexus does not reach {place}. Correct endpoint or region"),
)


def s3_message(inputs: Mapping[str, Any], text: str) -> str:
    """The sentence for a refusal of Nexus; empty for one that is not about the bucket."""
    place, key = inputs.get("endpoint") or "S3", inputs.get("access_key_id")
    who = f"the key {key!r}" if key else "the host's own role"
    for pattern, sentence in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return sentence.format(place=place, who=who, bucket=inputs.get("bucket_name"))
    return ""
