"""What Pulumi tracks inside Nexus: one module for each concept, loaded when it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Connection as Connection
    from .keystore import Keystore as Keystore
    from .proof import RegistryProof as RegistryProof
    from .repositories.docker import DockerGroupRepository as DockerGroupRepository
    from .repositories.docker import DockerHostedRepository as DockerHostedRepository
    from .repositories.docker import DockerProxyRepository as DockerProxyRepository
    from .security.admin_password import AdminPassword as AdminPassword
    from .security.anonymous import AnonymousAccess as AnonymousAccess
    from .security.realm import RealmActivation as RealmActivation
    from .security.role import Role as Role
    from .security.user import User as User
    from .system.eula import Eula as Eula

MODULES = {
    "client": ("Connection",),
    "keystore": ("Keystore",),
    "proof": ("RegistryProof",),
    "repositories.docker": ("DockerGroupRepository", "DockerHostedRepository", "DockerProxyRepository"),
    "security.admin_password": ("AdminPassword",),
    "security.anonymous": ("AnonymousAccess",),
    "security.realm": ("RealmActivation",),
    "security.role": ("Role",),
    "security.user": ("User",),
    "system.eula": ("Eula",),
}
"""What each module exports here."""
_HOME = {name: module for module, names in MODULES.items() for name in names}
__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
