"""Data sources, on a real Nexus."""

from __future__ import annotations

from nexus_registry.providers import (
    get_blob_stores,
    get_privileges,
    get_realms,
    get_repositories,
    get_repository,
    get_roles,
    get_server,
    get_usage,
    get_users,
)
from nexus_registry.providers.client import Connection, client_for

from .docker_api import named
from .server import Nexus


def test_data_sources_return_objects_of_server(nexus: Nexus) -> None:
    connection: Connection = {"url": nexus.url, "username": nexus.username, "password": nexus.password}
    server = get_server(connection)
    assert server.version.startswith("3.71.0")
    assert server.edition == "OSS"
    assert server.node_id
    used = get_usage(connection)
    assert (used.component_limit, used.daily_request_limit) == (None, None), "Core has no limits"
    central = get_repository("maven-central", connection)
    assert (central.format, central.type) == ("maven2", "proxy")
    assert central.remote_url.startswith("https://repo1.maven.org/")
    assert central.url.endswith("/repository/maven-central")
    assert central in get_repositories(connection)
    assert {"nx-admin", "nx-anonymous"} <= {one.role_id for one in get_roles(connection) if one.read_only}
    assert "nx-admin" in next(one for one in get_users(connection) if one.user_id == "admin").roles
    assert "nx-all" in {one.name for one in get_privileges(connection) if one.read_only}
    assert "NexusAuthenticatingRealm" in {one.realm for one in get_realms(connection) if one.active}


def test_blob_store_is_returned_with_its_limit(nexus: Nexus) -> None:
    connection: Connection = {"url": nexus.url, "username": nexus.username, "password": nexus.password}
    client, name = client_for(connection), named("store")
    quota = {"type": "spaceRemainingQuota", "limit": 2**60}
    client.post("/v1/blobstores/file", {"name": name, "path": name, "softQuota": quota})
    try:
        found = {one.name: one for one in get_blob_stores(connection)}
        assert (found[name].soft_quota_type, found[name].soft_quota_limit_bytes) == ("spaceRemainingQuota", 2**60)
        assert name in found[name].soft_quota_violation
        assert found[name].available_space_bytes > 0
        assert (found["default"].soft_quota_limit_bytes, found["default"].soft_quota_violation) == (0, "")
    finally:
        client.delete(f"/v1/blobstores/{name}")
