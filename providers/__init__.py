"""The resources and data sources for objects inside Nexus. Each module is imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Connection as Connection
    from .data_sources import get_blob_stores as get_blob_stores
    from .data_sources import get_blob_stores_output as get_blob_stores_output
    from .data_sources import get_privileges as get_privileges
    from .data_sources import get_privileges_output as get_privileges_output
    from .data_sources import get_realms as get_realms
    from .data_sources import get_realms_output as get_realms_output
    from .data_sources import get_repositories as get_repositories
    from .data_sources import get_repositories_output as get_repositories_output
    from .data_sources import get_repository as get_repository
    from .data_sources import get_repository_output as get_repository_output
    from .data_sources import get_roles as get_roles
    from .data_sources import get_roles_output as get_roles_output
    from .data_sources import get_server as get_server
    from .data_sources import get_server_output as get_server_output
    from .data_sources import get_usage as get_usage
    from .data_sources import get_usage_output as get_usage_output
    from .data_sources import get_users as get_users
    from .data_sources import get_users_output as get_users_output
    from .keystore import Keystore as Keystore
    from .registry_check import RegistryCheck as RegistryCheck
    from .repositories.alpine import AlpineGroupRepository as AlpineGroupRepository
    from .repositories.alpine import AlpineHostedRepository as AlpineHostedRepository
    from .repositories.alpine import AlpineProxyRepository as AlpineProxyRepository
    from .repositories.ansiblegalaxy import AnsibleGalaxyGroupRepository as AnsibleGalaxyGroupRepository
    from .repositories.ansiblegalaxy import AnsibleGalaxyHostedRepository as AnsibleGalaxyHostedRepository
    from .repositories.ansiblegalaxy import AnsibleGalaxyProxyRepository as AnsibleGalaxyProxyRepository
    from .repositories.apt import AptHostedRepository as AptHostedRepository
    from .repositories.apt import AptProxyRepository as AptProxyRepository
    from .repositories.cargo import CargoGroupRepository as CargoGroupRepository
    from .repositories.cargo import CargoHostedRepository as CargoHostedRepository
    from .repositories.cargo import CargoProxyRepository as CargoProxyRepository
    from .repositories.cocoapods import CocoapodsProxyRepository as CocoapodsProxyRepository
    from .repositories.composer import ComposerProxyRepository as ComposerProxyRepository
    from .repositories.conan import ConanGroupRepository as ConanGroupRepository
    from .repositories.conan import ConanHostedRepository as ConanHostedRepository
    from .repositories.conan import ConanProxyRepository as ConanProxyRepository
    from .repositories.conda import CondaGroupRepository as CondaGroupRepository
    from .repositories.conda import CondaHostedRepository as CondaHostedRepository
    from .repositories.conda import CondaProxyRepository as CondaProxyRepository
    from .repositories.docker import DockerGroupRepository as DockerGroupRepository
    from .repositories.docker import DockerHostedRepository as DockerHostedRepository
    from .repositories.docker import DockerProxyRepository as DockerProxyRepository
    from .repositories.gitlfs import GitLfsHostedRepository as GitLfsHostedRepository
    from .repositories.go import GoGroupRepository as GoGroupRepository
    from .repositories.go import GoHostedRepository as GoHostedRepository
    from .repositories.go import GoProxyRepository as GoProxyRepository
    from .repositories.helm import HelmGroupRepository as HelmGroupRepository
    from .repositories.helm import HelmHostedRepository as HelmHostedRepository
    from .repositories.helm import HelmProxyRepository as HelmProxyRepository
    from .repositories.huggingface import HuggingFaceProxyRepository as HuggingFaceProxyRepository
    from .repositories.maven import MavenGroupRepository as MavenGroupRepository
    from .repositories.maven import MavenHostedRepository as MavenHostedRepository
    from .repositories.maven import MavenProxyRepository as MavenProxyRepository
    from .repositories.npm import NpmGroupRepository as NpmGroupRepository
    from .repositories.npm import NpmHostedRepository as NpmHostedRepository
    from .repositories.npm import NpmProxyRepository as NpmProxyRepository
    from .repositories.nuget import NugetGroupRepository as NugetGroupRepository
    from .repositories.nuget import NugetHostedRepository as NugetHostedRepository
    from .repositories.nuget import NugetProxyRepository as NugetProxyRepository
    from .repositories.oci import OciGroupRepository as OciGroupRepository
    from .repositories.oci import OciHostedRepository as OciHostedRepository
    from .repositories.oci import OciProxyRepository as OciProxyRepository
    from .repositories.p2 import P2ProxyRepository as P2ProxyRepository
    from .repositories.pub import PubGroupRepository as PubGroupRepository
    from .repositories.pub import PubHostedRepository as PubHostedRepository
    from .repositories.pub import PubProxyRepository as PubProxyRepository
    from .repositories.pypi import PypiGroupRepository as PypiGroupRepository
    from .repositories.pypi import PypiHostedRepository as PypiHostedRepository
    from .repositories.pypi import PypiProxyRepository as PypiProxyRepository
    from .repositories.r import RGroupRepository as RGroupRepository
    from .repositories.r import RHostedRepository as RHostedRepository
    from .repositories.r import RProxyRepository as RProxyRepository
    from .repositories.raw import RawGroupRepository as RawGroupRepository
    from .repositories.raw import RawHostedRepository as RawHostedRepository
    from .repositories.raw import RawProxyRepository as RawProxyRepository
    from .repositories.rubygems import RubygemsGroupRepository as RubygemsGroupRepository
    from .repositories.rubygems import RubygemsHostedRepository as RubygemsHostedRepository
    from .repositories.rubygems import RubygemsProxyRepository as RubygemsProxyRepository
    from .repositories.swift import SwiftGroupRepository as SwiftGroupRepository
    from .repositories.swift import SwiftHostedRepository as SwiftHostedRepository
    from .repositories.swift import SwiftProxyRepository as SwiftProxyRepository
    from .repositories.terraform import TerraformGroupRepository as TerraformGroupRepository
    from .repositories.terraform import TerraformHostedRepository as TerraformHostedRepository
    from .repositories.terraform import TerraformProxyRepository as TerraformProxyRepository
    from .repositories.yum import YumGroupRepository as YumGroupRepository
    from .repositories.yum import YumHostedRepository as YumHostedRepository
    from .repositories.yum import YumProxyRepository as YumProxyRepository
    from .results import BlobStoreInfo as BlobStoreInfo
    from .results import PrivilegeInfo as PrivilegeInfo
    from .results import RealmInfo as RealmInfo
    from .results import RepositoryInfo as RepositoryInfo
    from .results import RoleInfo as RoleInfo
    from .results import ServerInfo as ServerInfo
    from .results import UsageInfo as UsageInfo
    from .results import UserInfo as UserInfo
    from .security.active_realms import ActiveRealms as ActiveRealms
    from .security.admin_password import AdminPassword as AdminPassword
    from .security.anonymous import AnonymousAccess as AnonymousAccess
    from .security.content_selector import ContentSelector as ContentSelector
    from .security.crowd import Crowd as Crowd
    from .security.external_user import ExternalUser as ExternalUser
    from .security.ip_allowlist import IpAllowlist as IpAllowlist
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
    from .security.saml import Saml as Saml
    from .security.saml import SamlUser as SamlUser
    from .security.ssl_trust import SslTrust as SslTrust
    from .security.ssrf_protection import SsrfProtection as SsrfProtection
    from .security.user import User as User
    from .security.user_tokens import UserTokens as UserTokens
    from .system.blob_store import AzureBlobStore as AzureBlobStore
    from .system.blob_store import BlobStoreGroup as BlobStoreGroup
    from .system.blob_store import FileBlobStore as FileBlobStore
    from .system.blob_store import GoogleBlobStore as GoogleBlobStore
    from .system.blob_store import S3BlobStore as S3BlobStore
    from .system.capability import AuditCapability as AuditCapability
    from .system.capability import BaseUrlCapability as BaseUrlCapability
    from .system.capability import Capability as Capability
    from .system.capability import CustomS3RegionsCapability as CustomS3RegionsCapability
    from .system.capability import DefaultRoleCapability as DefaultRoleCapability
    from .system.capability import FirewallAuditCapability as FirewallAuditCapability
    from .system.capability import GlobalWebhookCapability as GlobalWebhookCapability
    from .system.capability import HealthCheckCapability as HealthCheckCapability
    from .system.capability import OutreachCapability as OutreachCapability
    from .system.capability import RepositoryWebhookCapability as RepositoryWebhookCapability
    from .system.capability import RutAuthCapability as RutAuthCapability
    from .system.capability import StorageSettingsCapability as StorageSettingsCapability
    from .system.capability import UiBrandingCapability as UiBrandingCapability
    from .system.capability import UiSettingsCapability as UiSettingsCapability
    from .system.cleanup_policy import CleanupPolicy as CleanupPolicy
    from .system.email import Email as Email
    from .system.eula import Eula as Eula
    from .system.http_proxy import HttpProxy as HttpProxy
    from .system.iq import Iq as Iq
    from .system.iq import IqAudit as IqAudit
    from .system.license import License as License
    from .system.routing_rule import RoutingRule as RoutingRule
    from .system.script import Script as Script
    from .system.secrets_encryption import SecretsEncryptionKey as SecretsEncryptionKey
    from .system.task import CompactBlobStoreTask as CompactBlobStoreTask
    from .system.task import DockerGarbageCollectionTask as DockerGarbageCollectionTask
    from .system.task import DockerUploadPurgeTask as DockerUploadPurgeTask
    from .system.task import H2BackupTask as H2BackupTask
    from .system.task import LicenseExpirationTask as LicenseExpirationTask
    from .system.task import MalwareRemediationTask as MalwareRemediationTask
    from .system.task import MavenRemoveSnapshotsTask as MavenRemoveSnapshotsTask
    from .system.task import RebuildBrowseTask as RebuildBrowseTask
    from .system.task import Task as Task

MODULES = {
    "client": ("Connection",),
    "data_sources": (
        "get_blob_stores",
        "get_blob_stores_output",
        "get_privileges",
        "get_privileges_output",
        "get_realms",
        "get_realms_output",
        "get_repositories",
        "get_repositories_output",
        "get_repository",
        "get_repository_output",
        "get_roles",
        "get_roles_output",
        "get_server",
        "get_server_output",
        "get_usage",
        "get_usage_output",
        "get_users",
        "get_users_output",
    ),
    "keystore": ("Keystore",),
    "registry_check": ("RegistryCheck",),
    "repositories.alpine": ("AlpineGroupRepository", "AlpineHostedRepository", "AlpineProxyRepository"),
    "repositories.ansiblegalaxy": (
        "AnsibleGalaxyGroupRepository",
        "AnsibleGalaxyHostedRepository",
        "AnsibleGalaxyProxyRepository",
    ),
    "repositories.apt": ("AptHostedRepository", "AptProxyRepository"),
    "repositories.cargo": ("CargoGroupRepository", "CargoHostedRepository", "CargoProxyRepository"),
    "repositories.cocoapods": ("CocoapodsProxyRepository",),
    "repositories.composer": ("ComposerProxyRepository",),
    "repositories.conan": ("ConanGroupRepository", "ConanHostedRepository", "ConanProxyRepository"),
    "repositories.conda": ("CondaGroupRepository", "CondaHostedRepository", "CondaProxyRepository"),
    "repositories.docker": ("DockerGroupRepository", "DockerHostedRepository", "DockerProxyRepository"),
    "repositories.gitlfs": ("GitLfsHostedRepository",),
    "repositories.go": ("GoGroupRepository", "GoHostedRepository", "GoProxyRepository"),
    "repositories.helm": ("HelmGroupRepository", "HelmHostedRepository", "HelmProxyRepository"),
    "repositories.huggingface": ("HuggingFaceProxyRepository",),
    "repositories.maven": ("MavenGroupRepository", "MavenHostedRepository", "MavenProxyRepository"),
    "repositories.npm": ("NpmGroupRepository", "NpmHostedRepository", "NpmProxyRepository"),
    "repositories.nuget": ("NugetGroupRepository", "NugetHostedRepository", "NugetProxyRepository"),
    "repositories.oci": ("OciGroupRepository", "OciHostedRepository", "OciProxyRepository"),
    "repositories.p2": ("P2ProxyRepository",),
    "repositories.pub": ("PubGroupRepository", "PubHostedRepository", "PubProxyRepository"),
    "repositories.pypi": ("PypiGroupRepository", "PypiHostedRepository", "PypiProxyRepository"),
    "repositories.r": ("RGroupRepository", "RHostedRepository", "RProxyRepository"),
    "repositories.raw": ("RawGroupRepository", "RawHostedRepository", "RawProxyRepository"),
    "repositories.rubygems": ("RubygemsGroupRepository", "RubygemsHostedRepository", "RubygemsProxyRepository"),
    "repositories.swift": ("SwiftGroupRepository", "SwiftHostedRepository", "SwiftProxyRepository"),
    "repositories.terraform": (
        "TerraformGroupRepository",
        "TerraformHostedRepository",
        "TerraformProxyRepository",
    ),
    "repositories.yum": ("YumGroupRepository", "YumHostedRepository", "YumProxyRepository"),
    "results": (
        "BlobStoreInfo",
        "PrivilegeInfo",
        "RealmInfo",
        "RepositoryInfo",
        "RoleInfo",
        "ServerInfo",
        "UsageInfo",
        "UserInfo",
    ),
    "security.active_realms": ("ActiveRealms",),
    "security.admin_password": ("AdminPassword",),
    "security.anonymous": ("AnonymousAccess",),
    "security.content_selector": ("ContentSelector",),
    "security.crowd": ("Crowd",),
    "security.external_user": ("ExternalUser",),
    "security.ip_allowlist": ("IpAllowlist",),
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
    "security.saml": ("Saml", "SamlUser"),
    "security.ssl_trust": ("SslTrust",),
    "security.ssrf_protection": ("SsrfProtection",),
    "security.user": ("User",),
    "security.user_tokens": ("UserTokens",),
    "system.blob_store": ("AzureBlobStore", "BlobStoreGroup", "FileBlobStore", "GoogleBlobStore", "S3BlobStore"),
    "system.capability": (
        "AuditCapability",
        "BaseUrlCapability",
        "Capability",
        "CustomS3RegionsCapability",
        "DefaultRoleCapability",
        "FirewallAuditCapability",
        "GlobalWebhookCapability",
        "HealthCheckCapability",
        "OutreachCapability",
        "RepositoryWebhookCapability",
        "RutAuthCapability",
        "StorageSettingsCapability",
        "UiBrandingCapability",
        "UiSettingsCapability",
    ),
    "system.cleanup_policy": ("CleanupPolicy",),
    "system.email": ("Email",),
    "system.eula": ("Eula",),
    "system.http_proxy": ("HttpProxy",),
    "system.iq": ("Iq", "IqAudit"),
    "system.license": ("License",),
    "system.routing_rule": ("RoutingRule",),
    "system.script": ("Script",),
    "system.secrets_encryption": ("SecretsEncryptionKey",),
    "system.task": (
        "CompactBlobStoreTask",
        "DockerGarbageCollectionTask",
        "DockerUploadPurgeTask",
        "H2BackupTask",
        "LicenseExpirationTask",
        "MalwareRemediationTask",
        "MavenRemoveSnapshotsTask",
        "RebuildBrowseTask",
        "Task",
    ),
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
