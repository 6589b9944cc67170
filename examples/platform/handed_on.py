"""The login to a registry in the forms that its clients read."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pulumi


def pull_secret(name: str, docker_config_json: pulumi.Output[str]) -> pulumi.Output[dict[str, Any]]:
    """The manifest of a Kubernetes pull secret, for ``kubectl apply``, which takes JSON too."""

    def manifest(content: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": f"{name}-registry"},
            "data": {".dockerconfigjson": base64.b64encode(content.encode()).decode()},
        }

    return docker_config_json.apply(manifest)


def docker_config(contents: Sequence[pulumi.Output[str]]) -> pulumi.Output[str]:
    """One ``config.json`` for Docker with the logins of several."""

    def merged(known: Sequence[str]) -> str:
        auths: dict[str, Any] = {}
        for content in known:
            auths.update(json.loads(content)["auths"])
        return json.dumps({"auths": auths})

    return pulumi.Output.all(*contents).apply(merged)
