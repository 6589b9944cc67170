"""The unit tests on each supported Python: ``nox``, or one of them with ``nox -s unit-3.12``."""

from __future__ import annotations

import nox

nox.options.sessions = ["unit", "lowest"]


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def unit(session: nox.Session) -> None:
    """Unit tests, which need no server."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    session.run("pytest", "-q", "tests/unit", *session.posargs)


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """The same with the oldest packages that pyproject.toml allows."""
    oldest = f"{session.create_tmp()}/oldest.txt"
    session.install("uv")
    session.run("uv", "pip", "compile", "-q", "--resolution", "lowest-direct", "-o", oldest, "pyproject.toml")
    session.install("-c", oldest, "-e", ".[dev]")
    session.run("pytest", "-q", "tests/unit", *session.posargs)
