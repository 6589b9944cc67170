"""Running a program: the SDK talks to a monitor of our own, on the seam that its mocks use."""

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import resource_pb2 as wire
from pulumi.runtime.proto.engine_pb2 import LogSeverity
from pulumi.runtime.stack import run_in_stack

from ..stackfile import Config
from ..values import SECRET, Props, UserError
from .deployment import PARALLEL, Deployment
from .state import Resource
from .urn import STACK, urn_of

# What may be set in a registration; anything else is an option that this engine doesn't have.
KNOWN = {"type", "name", "parent", "custom", "object", "protect", "dependencies", "propertyDependencies"}
KNOWN |= {"deleteBeforeReplace", "deleteBeforeReplaceDefined", "ignoreChanges", "additionalSecretOutputs"}
KNOWN |= {"acceptSecrets", "acceptResources", "supportsPartialValues", "supportsResultReporting", "version"}
KNOWN |= {"sourcePosition", "stackTrace", "replaceOnChanges", "aliases", "aliasSpecs"}


References = Mapping[str, Callable[[], Props]]
"""The outputs of other stacks, with their secrets marked, by the name that a program refers to them by."""


class Monitor:
    """What the SDK registers resources with, and what it logs to."""

    def __init__(self, deployment: Deployment, project: str, stack: str, references: References) -> None:
        self._deployment, self._goals, self._references = deployment, dict[str, Resource](), references
        self._prefix = f"urn:pulumi:{stack}::{project}::"

    def GetDeploymentInfo(self, _: Any) -> Any:  # noqa: N802
        features = [wire.RESOURCE_MONITOR_FEATURE_SECRETS, wire.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS]
        return wire.DeploymentInfo(supportedFeatures=features)

    SignalAndWaitForShutdown = GetDeploymentInfo  # there is nothing to wait for, and the response is not read

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        unknown = {field.name for field, value in request.ListFields() if str(value)} - KNOWN
        unknown |= {"replaceOnChanges"} if set(request.replaceOnChanges) - {"triggers[*]"} else set()
        unknown |= {f"ignoreChanges {path}" for path in request.ignoreChanges if set(path) & set(".[*")}
        if unknown:
            raise UserError(f"{request.name}: the sandbox engine doesn't have the option {min(unknown)}")
        parent = self._goals.get(request.parent)
        goal = Resource(
            urn_of(self._prefix, request.parent, request.type, request.name),
            request.type,
            request.custom,
            inputs=MessageToDict(request.object),
            parent=request.parent,
            protect=request.protect if request.HasField("protect") else bool(parent and parent.protect),
            dependencies=sorted(request.dependencies),
            property_dependencies={key: sorted(deps.urns) for key, deps in request.propertyDependencies.items()},
            additional_secret_outputs=list(request.additionalSecretOutputs),
            ignore_changes=list(request.ignoreChanges),
        )
        first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        done = self._deployment.register(goal, first, request.aliases)
        self._goals[goal.urn] = self._goals[done.urn] = done
        return wire.RegisterResourceResponse(
            urn=done.urn,
            id=done.id,
            object=done.outputs if done.custom else {},
            unknown=done.urn in self._deployment.skipped,
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        goal = self._goals[request.urn]
        if goal.type == STACK:
            self._deployment.exported = goal.outputs
        goal.outputs = MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """The outputs of another stack; nothing else is read."""
        if request.type != "pulumi:pulumi:StackReference":
            raise UserError(f"{request.name}: the sandbox engine doesn't have the option id")
        if request.id not in self._references:
            raise UserError(f"unknown stack '{request.id}'")
        outputs = self._references[request.id]()
        names = [key for key, value in outputs.items() if SECRET in json.dumps(value)]
        properties = ParseDict({"name": request.id, "outputs": outputs, "secretOutputNames": names}, Struct())
        urn = urn_of(self._prefix, request.parent, request.type, request.name)
        return wire.ReadResourceResponse(urn=urn, properties=properties)

    def Log(self, request: Any) -> None:  # noqa: N802
        if request.severity != LogSeverity.DEBUG:
            self._deployment.report.say(LogSeverity.Name(request.severity).lower(), request.message, request.urn)

    def __getattr__(self, name: str) -> Any:
        raise UserError(f"the sandbox engine doesn't have {name}")


def run(program: Path, stack: str, config: Config, deployment: Deployment, references: References) -> None:
    """Run the program; its exception is an error of the deployment."""
    monitor = Monitor(deployment, config.project, stack, references)
    settings = pulumi.runtime.Settings(config.project, stack, monitor, monitor, dry_run=deployment.report.preview)
    settings.organization, settings.root_directory = "organization", str(program)
    pulumi.runtime.configure(settings)
    pulumi.runtime.set_all_config(config.values, sorted(config.secrets))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it warns of each task of a run that ends early
    os.chdir(program)
    sys.path[0] = str(program)

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(PARALLEL))
        await run_in_stack(lambda: (runpy.run_path(str(program), run_name="__main__"), None)[1])

    try:
        asyncio.run(main())
    except (UserError, pulumi.RunError) as error:
        if not deployment.report.failed:
            deployment.report.fail(str(error))
    except Exception:
        deployment.report.fail(traceback.format_exc())
