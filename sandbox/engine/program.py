"""Running a program: the SDK talks to a monitor of our own, on the seam that its mocks use."""

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
from .deployment import PARALLEL, Deployment, StoppedError
from .state import Resource
from .values import EngineError, from_struct, to_struct

STACK = "pulumi:pulumi:Stack"
KNOWN = {"type", "name", "parent", "custom", "object", "protect", "dependencies", "propertyDependencies"}
KNOWN |= {"deleteBeforeReplace", "deleteBeforeReplaceDefined", "ignoreChanges", "additionalSecretOutputs"}
KNOWN |= {"version", "acceptSecrets", "acceptResources", "supportsPartialValues", "supportsResultReporting"}
KNOWN |= {"sourcePosition", "stackTrace", "replaceOnChanges"}
"""What may be set in a registration; anything else is an option that this engine doesn't have."""


class Monitor:
    """What the SDK registers resources with, and what it logs to."""

    def __init__(self, deployment: Deployment, project: str, stack: str) -> None:
        self._deployment, self._prefix = deployment, f"urn:pulumi:{stack}::{project}::"
        self._goals: dict[str, Resource] = {}

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802, ARG002
        return resource_pb2.DeploymentInfo(supportedFeatures=[resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS])

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        unknown = {field.name for field, value in request.ListFields() if str(value)} - KNOWN
        unknown |= {"replaceOnChanges"} if set(request.replaceOnChanges) - {"triggers[*]"} else set()
        unknown |= {f"ignoreChanges {path}" for path in request.ignoreChanges if set(path) & set(".[*")}
        if unknown:
            raise EngineError(f"{request.name}: the sandbox engine doesn't have the option {min(unknown)}")
        parent = self._goals.get(request.parent)
        inside = f"{request.parent.split('::')[2]}$" if parent and parent.type != STACK else ""
        goal = Resource(
            f"{self._prefix}{inside}{request.type}::{request.name}",
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
        self._goals[goal.urn] = goal
        first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        self._deployment.register(goal, first)
        return resource_pb2.RegisterResourceResponse(urn=goal.urn, id=goal.id, object=to_struct(goal.outputs))

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self._goals[request.urn].outputs = from_struct(request.outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any) -> Any:  # noqa: N802, ARG002
        return empty_pb2.Empty()

    def Log(self, request: Any) -> None:  # noqa: N802
        if request.severity != engine_pb2.DEBUG:
            severity = engine_pb2.LogSeverity.Name(request.severity).lower()
            self._deployment.report.say(severity, request.message, request.urn)

    def RequirePulumiVersion(self, request: Any) -> None:  # noqa: N802
        """Any will do: this is none of them."""

    def __getattr__(self, name: str) -> Any:
        raise EngineError(f"the sandbox engine doesn't have {name}")


def run(program: Path, stack: str, config: Config, deployment: Deployment) -> None:
    """Run the program to its end; what goes wrong in it is an error of the deployment."""
    monitor = Monitor(deployment, config.project, stack)
    settings = pulumi.runtime.Settings(
        project=config.project,
        stack=stack,
        monitor=monitor,
        engine=monitor,
        dry_run=deployment.report.preview,
        organization="organization",
        root_directory=str(program),
    )
    pulumi.runtime.configure(settings)
    pulumi.runtime.set_all_config(config.values, sorted(config.secrets))
    logging.getLogger("asyncio").setLevel(
        logging.CRITICAL
    )  # of what it says of a run that ends early, nothing helps
    os.chdir(program)
    sys.path[0] = str(program)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def main() -> None:
        runpy.run_path(str(program), run_name="__main__")

    with ThreadPoolExecutor(PARALLEL) as threads, contextlib.redirect_stdout(sys.stderr):
        loop.set_default_executor(threads)
        try:
            loop.run_until_complete(run_in_stack(main))
        except StoppedError:
            pass
        except Exception as error:
            deployment.failed = True
            known = isinstance(error, EngineError | pulumi.RunError)
            deployment.report.say("error", str(error) if known else traceback.format_exc())
