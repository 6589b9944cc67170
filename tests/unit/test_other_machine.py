"""What a state holds of a provider is a name in the package: a destroy finds it on any machine."""

from __future__ import annotations

import base64
import pickletools

import nexus_registry.providers as declared
import pytest
from nexus_registry.components.host.reachable import HostReachable
from nexus_registry.components.host.version import InstalledVersion
from nexus_registry.providers.resource import TrackedResource
from pulumi.dynamic.dynamic import serialize_provider

KINDS = [
    *(one for one in (getattr(declared, name) for name in declared.__all__) if hasattr(one, "provider_class")),
    HostReachable,
    InstalledVersion,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_state_holds_name_of_provider_only(kind: type[TrackedResource]) -> None:
    provider = kind.provider_class()
    pickled = base64.b64decode(serialize_provider(provider))
    texts = {argument for _, argument, _ in pickletools.genops(pickled) if isinstance(argument, str)}
    assert {type(provider).__module__, type(provider).__qualname__} <= texts
    assert not [text for text in texts if "/" in text or "\\" in text]
    assert len(pickled) < 160, "more than a name was pickled"
