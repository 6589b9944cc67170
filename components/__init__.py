"""The components: a Nexus server on a Linux host, docker registries on it, and users of these."""

from .registry import DockerRegistry, DockerRegistryArgs
from .server import NexusServer
from .server_arguments import NexusServerArgs
from .user import DockerUser, DockerUserArgs
from .validation import InvalidArguments

__all__ = [
    "DockerRegistry",
    "DockerRegistryArgs",
    "DockerUser",
    "DockerUserArgs",
    "InvalidArguments",
    "NexusServer",
    "NexusServerArgs",
]
