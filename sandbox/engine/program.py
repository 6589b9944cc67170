"""Running a program: the SDK talks to a monitor of our own, the seam that its mocks use."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, resource_pb2
from pulumi.runtime.stack import run_in_stack

from .config import Config
from .deployment import Deployment, StoppedError
from .state import Resource
from .values import EngineError, Props, from_struct, to_struct

STACK = "pulumi:pulumi:Stack"
KNOWN = {"type", "name", "parent", "custom", "object", "protect", "dependencies", "propertyDependencies"} | {
    *("deleteBeforeReplace", "deleteBeforeReplaceDefined", "ignoreChanges", "additionalSecretOutputs"),
    *("version", "acceptSecrets", "acceptResources", "supportsPartialValues", "supportsResultReporting"),
    *("sourcePosition", "stackTrace", "replaceOnChanges"),
}
"""What may be set in a registration; anything else is an option that this engine doesn't have."""
FEATURES = [resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS, resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS]


class Monitor:
    """What the SDK registers resources with."""

    def __init__(self, deployment: Deployment, project: str, stack: str) -> None:
        self._deployment, self._prefix = deployment, f"urn:pulumi:{stack}::{project}::"
        self._goals: dict[str, Resource] = {}
        self.outputs: Props | None = None
        """What the program exported, when it came to its end."""

    def GetDeploymentInfo(self, request: Any) -> resource_pb2.DeploymentInfo:  # noqa: N802, ARG002
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        unknown = {field.name for field, value in request.ListFields() if str(value)} - KNOWN
        if unknown or set(request.replaceOnChanges) - {"triggers[*]"}:
            raise EngineError(
                f"{request.name}: the sandbox engine doesn't have the option {min(unknown or {'replaceOnChanges'})}"
            )
        parent = self._goals.get(request.parent)
        inside = parent and parent.type != STACK
        kinds = f"{request.parent.split('::')[2]}${request.type}" if inside else request.type
        goal = Resource(
            f"{self._prefix}{kinds}::{request.name}",
            request.type,
            request.custom,
            inputs=from_struct(request.object),
            parent=request.parent,
            protect=request.protect if request.HasField("protect") else bool(parent and parent.protect),
            dependencies=sorted(request.dependencies),
            property_dependencies={key: sorted(deps.urns) for key, deps in request.propertyDependencies.items()},
            additional_secret_outputs=list(request.additionalSecretOutputs),
            ignore_changes=list(request.ignoreChanges),
        )
        if bad := [path for path in goal.ignore_changes if not path.replace("_", "a").isalnum()]:
            raise EngineError(f"{request.name}: ignore_changes takes only whole properties here, not {bad[0]}")
        self._goals[goal.urn] = goal
        self._deployment.register(goal, request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None)
        return resource_pb2.RegisterResourceResponse(urn=goal.urn, id=goal.id, object=to_struct(goal.outputs))

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        outputs = from_struct(request.outputs)
        self._goals[request.urn].outputs = outputs
        if self._goals[request.urn].type == STACK:
            self.outputs = outputs
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any) -> empty_pb2.Empty:  # noqa: N802, ARG002
        return empty_pb2.Empty()

    def __getattr__(self, name: str) -> Any:
        def refuse(request: Any) -> None:
            token = getattr(request, "tok", "") or getattr(request, "type", "")
            raise EngineError(f"the sandbox engine doesn't have {name} {token}".rstrip())

        return refuse


class Engine:
    """What the SDK logs to."""

    def __init__(self, deployment: Deployment) -> None:
        self._report = deployment.report

    def Log(self, request: Any) -> None:  # noqa: N802
        severity = engine_pb2.LogSeverity.Name(request.severity).lower()
        if severity != "debug":
            self._report.diagnose(severity, request.message, request.urn)

    def RequirePulumiVersion(self, request: Any) -> None:  # noqa: N802
        """Any version will do: this is none of them."""


def run(program: Path, stack: str, config: Config, deployment: Deployment, *, preview: bool) -> Monitor:
    """Run the program to its end; what goes wrong in it is an error of the deployment."""
    monitor = Monitor(deployment, config.project, stack)
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=config.project,
            stack=stack,
            monitor=monitor,
            engine=Engine(deployment),
            dry_run=preview,
            organization="organization",
            root_directory=str(program),
        )
    )
    pulumi.runtime.set_all_config(config.values, sorted(config.secrets))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    os.chdir(program)
    sys.path[0] = sys.argv[0] = str(program)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(64) as threads, contextlib.redirect_stdout(sys.stderr):
        loop.set_default_executor(threads)
        try:
            loop.run_until_complete(run_in_stack(lambda: runpy.run_path(str(program), run_name="__main__") and None))
        except (StoppedError, EngineError, pulumi.RunError) as error:
            if str(error):
                deployment.fail("", str(error))
        except Exception:
            text = traceback.format_exc()
            deployment.fail("", f"Program failed with an unhandled exception:\n{text}")
    return monitor
