"""What each kind is tested on, as pytest collects it.

A test counts for the kinds that its marker ``kinds`` names, and, where it has that marker or is of a subclass of
``Lifecycle``, for those whose class or provider is among its parameters. ``on`` of the marker is ``real``,
``stand-in``, ``fake`` or ``schema``. Without it, a repository of a format that Nexus Core lacks is on the
stand-in, and anything else on the real server. :func:`require_created` fails a test that did not create what it
counts for; with ``engine=True`` in the marker, an engine created it in a process of its own, and the test itself
looks at that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.declare import DeclaredResource
from nexus_registry.providers.provider import Provider

ROOT = Path(__file__).parents[1]
PATHS = (
    "tests/contract",
    "tests/versions",
    "tests/unit/test_kinds_lifecycle.py",
    "tests/unit/test_openapi_kinds.py",
)
CORE_FORMATS = {"apt", "maven", "raw"}
CORE_VERSION = "3.71.0-06"
"""The version of the real server in ``tests/contract``."""


def kinds() -> dict[str, type[DeclaredResource]]:
    """Every kind that the package exports, by name."""
    exported = {name: getattr(providers, name) for name in providers.__all__}
    return {
        name: one
        for name, one in exported.items()
        if isinstance(one, type) and issubclass(one, DeclaredResource) and not one.is_abstract
    }


def tested() -> dict[str, dict[str, list[str]]]:
    """For each kind, by what it is tested on, the versions of the server; collected by another process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "tested.json"
        command = [sys.executable, "-m", "tests.tested", str(result)]
        environment = {**os.environ, "NIGHTLY": "1"}  # what runs each night counts, too
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"collecting the tests failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        found: dict[str, dict[str, list[str]]] = json.loads(result.read_text())
        return found


def counted(item: pytest.Item) -> dict[str, str]:
    """The kinds that a test counts for, and what it tests them on."""
    markers = list(item.iter_markers("kinds"))
    found = {name: marker.kwargs.get("on", "") for marker in markers for name in marker.args}
    if markers or _is_lifecycle(item):
        on = markers[0].kwargs.get("on", "") if markers else ""
        for name in _in_parameters(item):
            found.setdefault(name, on)
    if not found:
        return {}
    known = kinds()
    if unknown := set(found) - set(known):
        raise pytest.UsageError(f"{item.nodeid}: kinds: {', '.join(sorted(unknown))} is not exported")
    return {name: on or _usual_place(known[name]) for name, on in found.items()}


@contextmanager
def require_created(item: pytest.Item) -> Iterator[None]:
    """Fail when the test did not create, in this process, an object of each kind that it counts for."""
    engine = any(marker.kwargs.get("engine") for marker in item.iter_markers("kinds"))
    counts = {} if engine else counted(item)
    classes = {name: kinds()[name].provider_class for name, on in counts.items() if on != "schema"}
    created: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        for name, provider in classes.items():
            patch.setattr(provider, "create", _noting(provider, name, created))
        yield
    assert created == set(classes), "the test counts for kinds of which it created nothing"


def _noting(provider: type[Provider], name: str, created: set[str]) -> Any:
    original = provider.create

    def create(self: Provider, props: dict[str, Any]) -> Any:
        result = original(self, props)
        created.add(name)
        return result

    return create


def _is_lifecycle(item: pytest.Item) -> bool:
    bases = getattr(getattr(item, "cls", None), "__mro__", ())
    return "case" in getattr(item, "fixturenames", ()) and any(base.__name__ == "Lifecycle" for base in bases)


def _in_parameters(item: pytest.Item) -> Iterator[str]:
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, type) and issubclass(one, DeclaredResource):
                yield one.__name__
            elif isinstance(one, type) and issubclass(one, Provider) and hasattr(one, "declared_by"):
                yield one.declared_by


def _usual_place(cls: type[DeclaredResource]) -> str:
    form = cls.provider_settings.get("format", "")
    return "stand-in" if form and form not in CORE_FORMATS else "real"


class _Collector:
    """A plugin that keeps what the collected tests count for."""

    def __init__(self) -> None:
        self.found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for name, on in counted(item).items():
                parameters: Mapping[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
                own = getattr(getattr(item, "module", None), "VERSION", CORE_VERSION)
                version = parameters.get("server", own)
                self.found[name][on].add(version if on != "schema" else "")


def main(result: Path) -> int:
    """Collect, and write what was found."""
    collector = _Collector()
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", *PATHS]
    status = pytest.main(arguments, plugins=[collector])
    found = {name: {on: sorted(versions) for on, versions in by.items()} for name, by in collector.found.items()}
    result.write_text(json.dumps(found, indent=1, sort_keys=True))
    return int(status)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
