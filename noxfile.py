"""The unit tests on each supported Python: ``nox``, or one of them with ``nox -s unit-3.12``."""

from __future__ import annotations

import nox

nox.options.sessions = ["unit"]


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def unit(session: nox.Session) -> None:
    """Unit tests, which need no server."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    session.run("pytest", "-q", "tests/unit", *session.posargs)
