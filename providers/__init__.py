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
    from .security.active_realms import ActiveRealms as ActiveRealms
    from .security.admin_password import AdminPassword as AdminPassword
    from .security.anonymous import AnonymousAccess as AnonymousAccess
    from .security.content_selector import ContentSelector as ContentSelector
    from .security.ldap import LdapServer as LdapServer
    from .security.ldap import LdapServerOrder as LdapServerOrder
    from .security.privilege import ApplicationPrivilege as ApplicationPrivilege
    from .security.privilege import RepositoryAdminPrivilege as RepositoryAdminPrivilege
    from .security.privilege import RepositoryContentSelectorPrivilege as RepositoryContentSelectorPrivilege
    from .security.privilege import RepositoryViewPrivilege as RepositoryViewPrivilege
    from .security.privilege import ScriptPrivilege as ScriptPrivilege
    from .security.privilege import WildcardPrivilege as WildcardPrivilege
    from .security.realm import RealmActivation as RealmActivation
    from .security.role import Role as Role
    from .security.ssl_trust import SslTrust as SslTrust
    from .security.user import User as User
    from .system.blob_store import AzureBlobStore as AzureBlobStore
    from .system.blob_store import BlobStoreGroup as BlobStoreGroup
    from .system.blob_store import FileBlobStore as FileBlobStore
    from .system.blob_store import GoogleBlobStore as GoogleBlobStore
    from .system.blob_store import S3BlobStore as S3BlobStore
    from .system.cleanup_policy import CleanupPolicy as CleanupPolicy
    from .system.email import Email as Email
    from .system.eula import Eula as Eula
    from .system.routing_rule import RoutingRule as RoutingRule
    from .system.script import Script as Script

MODULES = {
    "client": ("Connection",),
    "keystore": ("Keystore",),
    "proof": ("RegistryProof",),
    "repositories.docker": ("DockerGroupRepository", "DockerHostedRepository", "DockerProxyRepository"),
    "security.active_realms": ("ActiveRealms",),
    "security.admin_password": ("AdminPassword",),
    "security.anonymous": ("AnonymousAccess",),
    "security.content_selector": ("ContentSelector",),
    "security.ldap": ("LdapServer", "LdapServerOrder"),
    "security.privilege": (
        "ApplicationPrivilege",
        "RepositoryAdminPrivilege",
        "RepositoryContentSelectorPrivilege",
        "RepositoryViewPrivilege",
        "ScriptPrivilege",
        "WildcardPrivilege",
    ),
    "security.realm": ("RealmActivation",),
    "security.role": ("Role",),
    "security.ssl_trust": ("SslTrust",),
    "security.user": ("User",),
    "system.blob_store": ("AzureBlobStore", "BlobStoreGroup", "FileBlobStore", "GoogleBlobStore", "S3BlobStore"),
    "system.cleanup_policy": ("CleanupPolicy",),
    "system.email": ("Email",),
    "system.eula": ("Eula",),
    "system.routing_rule": ("RoutingRule",),
    "system.script": ("Script",),
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
