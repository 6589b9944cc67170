"""Terraform repositories: Terraform providers and modules."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository, RequireAuthentication
from .signing import SigningKey


class TerraformHostedRepository(SigningKey, HostedRepository, format="terraform", since="3.89"):
    """Terraform providers and modules that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/terraform/hosted``.
    """


class TerraformProxyRepository(RequireAuthentication, ProxyRepository, format="terraform", since="3.88"):
    """Terraform providers and modules of a remote repository (``https://registry.terraform.io``). It caches what
    clients request.

    Source: Nexus REST ``/v1/repositories/terraform/proxy``.
    """


class TerraformGroupRepository(RequireAuthentication, GroupRepository, format="terraform", since="3.90"):
    """Several repositories of Terraform providers and modules under one address.

    Source: Nexus REST ``/v1/repositories/terraform/group``.
    """
