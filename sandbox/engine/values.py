"""Property values as they travel between the program, the engine and the providers.

A value is plain JSON; a secret is ``{SIGNATURE: SECRET, "value": …}`` and an unknown the string ``UNKNOWN``, which
is how Pulumi's own wire format writes them.
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

SIGNATURE: str = rpc._special_sig_key
SECRET: str = rpc._special_secret_sig
UNKNOWN: str = rpc.UNKNOWN

Props = dict[str, Any]


class EngineError(Exception):
    """Something the user must be told; the message is the whole sentence."""


def secret(value: Any) -> Props:
    """The value, marked as a secret."""
    return value if is_secret(value) else {SIGNATURE: SECRET, "value": value}


def is_secret(value: Any) -> bool:
    """Whether this very value is marked as a secret."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def has_secret(value: Any) -> bool:
    """Whether there is a secret at any depth."""
    if isinstance(value, dict):
        return is_secret(value) or any(map(has_secret, value.values()))
    return isinstance(value, list) and any(map(has_secret, value))


def plain(value: Any, mask: str | None = None) -> Any:
    """The value without its markers, secrets in the clear or, with ``mask``, replaced by that text."""
    if is_secret(value):
        return plain(value["value"]) if mask is None else mask
    if isinstance(value, dict):
        return {key: plain(item, mask) for key, item in value.items()}
    return [plain(item, mask) for item in value] if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, secret or not (1 and true are not)."""
    return json.dumps(plain(one), sort_keys=True) == json.dumps(plain(other), sort_keys=True)


def annotate(outs: Props, ins: Props) -> Props:
    """Mark what a provider answered in the clear as secret wherever the input of the same key is or holds one."""
    for key in outs.keys() & ins.keys():
        if all(isinstance(side[key], dict) and not is_secret(side[key]) for side in (outs, ins)):
            annotate(outs[key], ins[key])
        elif has_secret(ins[key]):
            outs[key] = secret(outs[key])
    return outs


def to_struct(props: Props) -> struct_pb2.Struct:
    """Properties in the form of the provider protocol."""
    struct = struct_pb2.Struct()
    struct.update(props)
    return struct


def from_struct(struct: struct_pb2.Struct) -> Props:
    """Properties out of the form of the provider protocol."""
    return dict(_supported(json_format.MessageToDict(struct)))


def _supported(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE, SECRET) != SECRET:
            raise EngineError("the sandbox engine passes no assets, archives and resource references as values")
        return {key: _supported(item) for key, item in value.items()}
    return [_supported(item) for item in value] if isinstance(value, list) else value
