"""What people put into a stack: a Nexus server on a Linux host, and docker registries on it."""

from .registry import DockerRegistry, DockerRegistryArgs
from .server import NexusServer, NexusServerArgs

__all__ = ["DockerRegistry", "DockerRegistryArgs", "NexusServer", "NexusServerArgs"]
