"""InstalledVersion: the version that the host runs, so that a preview refuses an unsupported change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CheckResult

from ...providers.compat import version_change_error
from ...providers.declare import DeclaredResource, Prop, prop
from ...providers.provider import Verification
from ...providers.schema import boolean, failure, text


class InstalledVersionProvider(Verification):
    kind = "version"

    def identity(self, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        return self.kind

    def verify(self, inputs: Mapping[str, Any]) -> None:
        """Check nothing: the service step, which runs before, has started this version."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        result = super().check(olds, news)
        before, desired = olds.get("version"), result.inputs.get("version")
        if not result.failures and isinstance(before, str) and isinstance(desired, str):
            reason = version_change_error(before, desired, h2=bool(olds.get("h2")))
            if reason:
                result.failures.append(failure("version", reason))
        return result


class InstalledVersion(DeclaredResource, provider=InstalledVersionProvider):
    """The version that the service step started last. It is created after that step, so it contains a version only
    when that version runs. A preview refuses an older version, and one that can't read the database.

    Errors: a version older than the one that runs; one from 3.71 on while the data are OrientDB's; one from 3.70
    on while they are the H2's of before.
    """

    version: Prop[str] = prop(text(r"\d+\.\d+\.\d+(-\d+)?", hint="must be a version such as 3.71.0-06"))
    """The version with the build."""
    h2: Prop[bool] = prop(boolean, default=False)
    """Whether a version before 3.71 keeps its data in H2 (``nexus.datastore.enabled``)."""
