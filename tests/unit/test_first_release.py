"""What version 0.1.0 stored of the resources around the host is no change to today's code.

``tests/contract/test_first_release.py`` does the same for objects inside Nexus, on each engine.
"""

from __future__ import annotations

import json

import pytest
from nexus_registry.components.host.reachable import HostReachable
from nexus_registry.components.host.version import InstalledVersion
from nexus_registry.providers.declare import DeclaredResource
from nexus_registry.providers.keystore import Keystore

from sandbox.paths import PROJECT

STORED = json.loads((PROJECT / "tests/data/host-0.1.0.json").read_text())
"""By kind: the arguments that a component gives today, the inputs in the state, and the outputs that are none."""


@pytest.mark.parametrize("kind", [Keystore, HostReachable, InstalledVersion])
def test_state_of_first_release_is_no_change(kind: type[DeclaredResource]) -> None:
    stored, provider = STORED[kind.__name__], kind.provider_class()
    checked = provider.check(stored["inputs"], stored["arguments"])
    assert not checked.failures
    diff = provider.diff("id", stored["inputs"] | stored["more_outputs"], checked.inputs)
    assert (diff.changes, diff.replaces) == (False, [])
