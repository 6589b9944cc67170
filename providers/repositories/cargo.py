"""Cargo repositories: Rust crates."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository, RequireAuthentication


class CargoHostedRepository(HostedRepository, format="cargo", since="3.69"):
    """Rust crates that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/cargo/hosted``.
    """


class CargoProxyRepository(RequireAuthentication, ProxyRepository, format="cargo", since="3.69"):
    """Rust crates of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/cargo/proxy``.
    """


class CargoGroupRepository(RequireAuthentication, GroupRepository, format="cargo", since="3.69"):
    """Several repositories of Rust crates under one address.

    Source: Nexus REST ``/v1/repositories/cargo/group``.
    """
