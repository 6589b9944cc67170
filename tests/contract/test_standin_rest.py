"""The docker-format stand-in behaves as Nexus 3.71 is known to: its REST API, realms and privileges."""

from __future__ import annotations

import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .docker_api import Api, People, Registry, Repository, hosted, named, said
from .server import Nexus


class TestRepositories:
    """Section 2.1 of the reference."""

    def test_repository_is_created_read_and_deleted(self, nexus: Nexus, admin: Api) -> None:
        name, port = named("shown"), nexus.connector_port()
        made = admin.call("POST", "repositories/docker/hosted", hosted(name, httpPort=port))
        assert (made.status_code, made.content) == (201, b"")
        assert admin.ok("GET", f"repositories/docker/hosted/{name}") == {
            "name": name,
            "url": f"{nexus.url}/repository/{name}",
            "online": True,
            "storage": {
                "blobStoreName": "default",
                "strictContentTypeValidation": True,
                "writePolicy": "ALLOW",
                "latestPolicy": False,
            },
            "cleanup": None,
            "component": {"proprietaryComponents": False},
            "docker": {
                "v1Enabled": False,
                "forceBasicAuth": True,
                "httpPort": port,
                "httpsPort": None,
                "subdomain": None,
            },
            "format": "docker",
            "type": "hosted",
        }
        removed = admin.call("DELETE", f"repositories/{name}")
        assert (removed.status_code, removed.content) == (204, b"")
        assert admin.call("DELETE", f"repositories/{name}").status_code == 404
        gone = admin.call("GET", f"repositories/docker/hosted/{name}")
        assert (gone.status_code, said(gone)) == (404, '"Repository not found"')

    def test_repository_is_listed_as_docker(self, repository: Repository, admin: Api) -> None:
        one = admin.ok("GET", f"repositories/{repository.name}")
        assert (one["format"], one["type"]) == ("docker", "hosted")
        formats = {item["name"]: item["format"] for item in admin.ok("GET", "repositories")}
        assert formats[repository.name] == "docker"
        assert formats["maven-public"] == "maven2"
        settings = {item["name"]: item for item in admin.ok("GET", "repositorySettings")}
        assert settings[repository.name]["docker"]["httpPort"] == repository.port
        assert "raw" not in settings[repository.name]

    def test_repository_is_not_listed_as_raw(self, repository: Repository, admin: Api) -> None:
        assert admin.call("GET", f"repositories/raw/hosted/{repository.name}").status_code == 404
        body = hosted(repository.name)
        assert admin.call("PUT", f"repositories/raw/hosted/{repository.name}", body).status_code == 404

    def test_repository_of_another_format_is_not_found(self, admin: Api) -> None:
        answer = admin.call("GET", "repositories/docker/hosted/maven-releases")
        assert (answer.status_code, said(answer)) == (404, '"Repository not found"')
        body = hosted("maven-releases")
        assert admin.call("PUT", "repositories/docker/hosted/maven-releases", body).status_code == 404

    def test_duplicate_name_is_refused(self, repository: Repository, admin: Api) -> None:
        answer = admin.call("POST", "repositories/docker/hosted", hosted(repository.name))
        assert (answer.status_code, said(answer)) == (400, '"Duplicate key"')

    def test_unknown_blob_store_is_refused(self, admin: Api) -> None:
        body = hosted(named("x"))
        body["storage"]["blobStoreName"] = "nope"
        answer = admin.call("POST", "repositories/docker/hosted", body)
        assert (answer.status_code, said(answer)) == (400, '"Blob store not found"')

    def test_missing_configuration_is_listed(self, admin: Api) -> None:
        answer = admin.call("POST", "repositories/docker/hosted", {"name": "x y", "docker": {}})
        assert answer.status_code == 400
        assert {item["id"]: item["message"] for item in answer.json()} == {
            "PARAMETER name": "Only letters, digits, underscores(_), hyphens(-), and dots(.) are allowed "
            "and may not start with underscore or dot.",
            "PARAMETER online": "must not be null",
            "PARAMETER storage": "must not be null",
            "PARAMETER v1Enabled": "must not be null",
            "PARAMETER forceBasicAuth": "must not be null",
        }
        body = hosted(named("x"))
        del body["docker"]
        answer = admin.call("POST", "repositories/docker/hosted", body)
        assert answer.json() == [{"id": "PARAMETER docker", "message": "must not be null"}]

    def test_invalid_json_is_refused(self, nexus: Nexus, admin: Api) -> None:
        url = f"{nexus.url}/service/rest/v1/repositories/docker/hosted"
        headers = {"Content-Type": "application/json"}
        answer = requests.post(url, data='{"name":', headers=headers, auth=admin.auth, timeout=30)
        assert answer.status_code == 400
        assert said(answer).startswith("Could not process the input")
        assert "X-Siesta-FaultId" in answer.headers

    def test_unknown_fields_are_ignored(self, admin: Api) -> None:
        name = named("more")
        body = hosted(name, pathEnabled=True) | {"more": 1}
        admin.ok("POST", "repositories/docker/hosted", body)
        shown = admin.ok("GET", f"repositories/docker/hosted/{name}")
        assert "pathEnabled" not in shown["docker"]
        assert "more" not in shown
        admin.ok("DELETE", f"repositories/{name}")

    def test_put_neither_renames_nor_moves_repository(self, repository: Repository, admin: Api) -> None:
        path = f"repositories/docker/hosted/{repository.name}"
        renamed = admin.call("PUT", path, repository.body | {"name": named("other")})
        assert (renamed.status_code, said(renamed)) == (400, '"Renaming a repository is not supported"')
        store = named("store")
        admin.ok("POST", "blobstores/file", {"name": store, "path": store})
        body = hosted(repository.name)
        body["storage"]["blobStoreName"] = store
        moved = admin.call("PUT", path, body)
        assert moved.status_code == 400
        assert "blob store" in said(moved).lower()
        admin.ok("DELETE", f"blobstores/{store}")

    def test_put_replaces_everything(self, nexus: Nexus, repository: Repository, admin: Api) -> None:
        repository.store(writePolicy="ALLOW_ONCE", latestPolicy=True)
        path = f"repositories/docker/hosted/{repository.name}"
        assert admin.ok("GET", path)["storage"]["latestPolicy"] is True
        changed = admin.call("PUT", path, hosted(repository.name))
        assert (changed.status_code, changed.content) == (204, b"")
        shown = admin.ok("GET", path)
        assert shown["storage"]["latestPolicy"] is False
        assert shown["storage"]["writePolicy"] == "ALLOW"
        assert shown["docker"]["httpPort"] is None
        with pytest.raises(requests.ConnectionError):
            repository.registry.call("GET", "/v2/")
        other = nexus.connector_port()
        repository.change(httpPort=other)
        assert Registry(f"http://127.0.0.1:{other}").call("GET", "/v2/").status_code == 401

    def test_put_of_missing_repository_is_not_found(self, admin: Api) -> None:
        assert admin.call("PUT", "repositories/docker/hosted/none", hosted("none")).status_code == 404

    def test_ports_of_nexus_and_of_repositories_are_refused(
        self, nexus: Nexus, repository: Repository, admin: Api
    ) -> None:
        for port in (nexus.http_port, nexus.https_port, repository.port, 0, 65536):
            name = named("clash")
            answer = admin.call("POST", "repositories/docker/hosted", hosted(name, httpPort=port))
            assert answer.status_code == 400
            assert said(answer).startswith('"Failed to validate facets; 1 failure')
            assert admin.call("GET", f"repositories/docker/hosted/{name}").status_code == 404

    def test_port_of_another_program_is_only_logged(self, nexus: Nexus, admin: Api) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port, name = other.getsockname()[1], named("clash")
            assert admin.call("POST", "repositories/docker/hosted", hosted(name, httpPort=port)).status_code == 201
        assert f"Could not start connector on port {port}" in nexus.log
        admin.ok("DELETE", f"repositories/{name}")

    def test_user_without_permission_is_refused(
        self, nexus: Nexus, nobody: Api, people: People, repository: Repository
    ) -> None:
        wrong = Api(nexus, ("admin", "wrong"))
        limited = Api(nexus, people.add(f"nx-repository-view-docker-{repository.name}-read"))
        for method, path in (
            ("POST", "repositories/docker/hosted"),
            ("PUT", f"repositories/docker/hosted/{repository.name}"),
            ("DELETE", f"repositories/{repository.name}"),
        ):
            assert nobody.call(method, path, repository.body).status_code == 403
            refused = limited.call(method, path, repository.body)
            assert (refused.status_code, refused.content) == (403, b"")
            unknown = wrong.call(method, path, repository.body)
            assert unknown.status_code == 401
            assert unknown.headers["WWW-Authenticate"] == 'BASIC realm="Sonatype Nexus Repository Manager"'
        shown = limited.call("GET", f"repositories/docker/hosted/{repository.name}")
        assert shown.status_code == 404  # reading the settings takes more than reading the images
        assert nobody.call("GET", f"repositories/docker/hosted/{repository.name}").status_code == 403

    def test_repository_admin_of_docker_format(self, nexus: Nexus, people: People) -> None:
        keeper = Api(nexus, people.add("nx-repository-admin-*-*-*"))
        name = named("kept")
        keeper.ok("POST", "repositories/docker/hosted", hosted(name))
        assert keeper.ok("GET", f"repositories/docker/hosted/{name}")["name"] == name
        keeper.ok("DELETE", f"repositories/{name}")

    def test_components_are_tags(self, repository: Repository, admin: Api) -> None:
        path = f"components?repository={repository.name}"
        assert admin.ok("GET", path) == {"items": [], "continuationToken": None}
        for tag in ("1", "2"):
            assert repository.registry.push("team/app", tag).status_code == 201
        items = admin.ok("GET", path)["items"]
        assert [(item["name"], item["version"], item["format"]) for item in items] == [
            ("team/app", "1", "docker"),
            ("team/app", "2", "docker"),
        ]

    def test_delete_removes_images(self, repository: Repository, admin: Api) -> None:
        assert repository.registry.push("app", "1").status_code == 201
        admin.ok("DELETE", f"repositories/{repository.name}")
        with pytest.raises(requests.ConnectionError):
            repository.registry.call("GET", "/v2/")
        admin.ok("POST", "repositories/docker/hosted", repository.body)
        assert repository.registry.call("GET", "/v2/app/manifests/1").status_code == 404
        assert admin.ok("GET", f"components?repository={repository.name}")["items"] == []


class TestRealms:
    """Section 2.4."""

    def test_token_realm_is_there(self, admin: Api) -> None:
        available = {realm["id"]: realm["name"] for realm in admin.ok("GET", "security/realms/available")}
        assert available["DockerToken"] == "Docker Bearer Token Realm"
        assert "NexusAuthorizingRealm" not in available

    @pytest.mark.parametrize(
        "wanted",
        [
            ["NexusAuthenticatingRealm", "DockerToken"],
            ["DockerToken", "NexusAuthenticatingRealm", "DefaultRole"],
            ["NexusAuthenticatingRealm", "DockerToken", "DefaultRole"],
            ["NexusAuthenticatingRealm"],
        ],
    )
    def test_put_replaces_realms_and_keeps_order(self, admin: Api, token_realm: None, wanted: list[str]) -> None:
        answer = admin.call("PUT", "security/realms/active", wanted)
        assert (answer.status_code, answer.content) == (204, b"")
        assert admin.ok("GET", "security/realms/active") == wanted

    def test_unknown_realm_is_refused_and_changes_nothing(self, admin: Api, token_realm: None) -> None:
        before = admin.ok("GET", "security/realms/active")
        for unknown in ("Nope", "NexusAuthorizingRealm"):
            answer = admin.call("PUT", "security/realms/active", ["NexusAuthenticatingRealm", unknown])
            assert answer.status_code == 400
            assert f"Unknown realmIds: [{unknown}]" in answer.text
        assert admin.ok("GET", "security/realms/active") == before

    def test_user_without_permission_is_refused(self, nexus: Nexus, nobody: Api) -> None:
        assert nobody.call("GET", "security/realms/active").status_code == 403
        assert nobody.call("PUT", "security/realms/active", ["DockerToken"]).status_code == 403
        assert Api(nexus, ("admin", "wrong")).call("GET", "security/realms/active").status_code == 401


class TestPrivileges:
    """Section 2.6, and what section 2.2 says of roles."""

    def test_each_repository_has_privileges(self, repository: Repository, admin: Api) -> None:
        names = {each["name"]: each for each in admin.ok("GET", "security/privileges")}
        for kind, actions in (
            ("view", ("*", "browse", "read", "edit", "add", "delete")),
            ("admin", ("*", "browse", "read", "edit", "delete")),
        ):
            for action in actions:
                one = names[f"nx-repository-{kind}-docker-{repository.name}-{action}"]
                assert (one["format"], one["repository"]) == ("docker", repository.name)
                assert (one["type"], one["readOnly"]) == (f"repository-{kind}", True)
        assert not [name for name in names if f"-raw-{repository.name}-" in name]
        name = f"nx-repository-view-docker-{repository.name}-read"
        assert admin.ok("GET", f"security/privileges/{name}") == names[name]
        quoted = admin.ok("GET", f"security/privileges/{name.removesuffix('read')}%2A")
        assert quoted == names[f"{name.removesuffix('read')}*"]
        raw = admin.call("GET", f"security/privileges/nx-repository-view-raw-{repository.name}-read")
        assert raw.status_code == 404
        assert f"nx-repository-view-raw-{repository.name}-read" in said(raw)

    def test_role_loses_privileges_with_repository(self, repository: Repository, admin: Api) -> None:
        name = named("role")
        desired = [f"nx-repository-view-docker-{repository.name}-*", "nx-search-read"]
        role = {"id": name, "name": name, "description": "", "privileges": desired, "roles": []}
        made = admin.ok("POST", "security/roles", role)
        assert sorted(made["privileges"]) == sorted(desired)
        desired.append(f"nx-repository-view-docker-{repository.name}-read")
        admin.ok("PUT", f"security/roles/{name}", role | {"privileges": desired})
        assert sorted(admin.ok("GET", f"security/roles/{name}")["privileges"]) == sorted(desired)
        listed = {each["id"]: each for each in admin.ok("GET", "security/roles")}
        assert sorted(listed[name]["privileges"]) == sorted(desired)
        admin.ok("DELETE", f"repositories/{repository.name}")
        assert admin.ok("GET", f"security/roles/{name}")["privileges"] == ["nx-search-read"]
        admin.ok("POST", "repositories/docker/hosted", repository.body)
        assert admin.ok("GET", f"security/roles/{name}")["privileges"] == ["nx-search-read"]
        admin.ok("DELETE", f"security/roles/{name}")

    def test_role_with_unknown_privilege_is_refused(self, repository: Repository, admin: Api) -> None:
        for unknown in (
            "nx-repository-view-docker-nowhere-read",
            f"nx-repository-view-raw-{repository.name}-read",
        ):
            name = named("role")
            role = {"id": name, "name": name, "description": "", "privileges": [unknown], "roles": []}
            answer = admin.call("POST", "security/roles", role)
            assert answer.status_code == 400
            assert said(answer) == f"\"Privilege '{unknown}' contained in role '{name}' not found.\""

    def test_privilege_for_every_docker_repository_is_kept(self, admin: Api) -> None:
        name = named("role")
        desired = ["nx-repository-view-docker-*-read", "nx-repository-view-maven2-*-read"]
        role = {"id": name, "name": name, "description": "", "privileges": desired, "roles": []}
        admin.ok("POST", "security/roles", role)
        assert sorted(admin.ok("GET", f"security/roles/{name}")["privileges"]) == desired
        assert admin.ok("GET", f"security/privileges/{desired[0]}")["format"] == "docker"
        listed = [each["name"] for each in admin.ok("GET", "security/privileges")]
        assert desired[0] in listed
        assert "nx-repository-view-raw-*-read" in listed
        admin.ok("DELETE", f"security/roles/{name}")

    def test_privilege_is_created_with_format_docker(self, repository: Repository, admin: Api) -> None:
        name = named("made")
        body = {"name": name, "description": "", "format": "docker", "actions": ["READ"]}
        body["repository"] = repository.name
        assert admin.call("POST", "security/privileges/repository-view", body).status_code == 201
        assert admin.ok("GET", f"security/privileges/{name}")["format"] == "docker"
        wrong = admin.call(
            "POST", "security/privileges/repository-view", body | {"name": named("made"), "format": "raw"}
        )
        assert wrong.status_code == 400
        assert said(wrong) == f"\"Invalid format 'raw' supplied for repository '{repository.name}'.\""
        admin.ok("DELETE", f"security/privileges/{name}")


class TestThrough:
    """Everything else is Core's answer."""

    def test_headers_are_kept(self, nobody: Api, admin: Api) -> None:
        answer = nobody.call("GET", "security/roles")
        assert answer.status_code == 403
        assert answer.headers["Server"] == "Nexus/3.71.0-06 (OSS)"
        assert "X-Siesta-FaultId" in answer.headers
        assert admin.call("GET", "system/eula").status_code == 404
        assert admin.call("GET", "repositories/docker/proxy/x").headers["Server"] == "Nexus/3.71.0-06 (OSS)"

    def test_large_bodies_pass_both_ways(self, nexus: Nexus, admin: Api) -> None:
        name = named("raw")
        body = hosted(name)
        body["storage"]["strictContentTypeValidation"] = False  # random bytes are not what their name says
        del body["docker"]
        admin.ok("POST", "repositories/raw/hosted", body)
        assert admin.ok("GET", f"repositories/raw/hosted/{name}")["format"] == "raw"
        url, content = f"{nexus.url}/repository/{name}/big.bin", uuid.uuid4().bytes * (4 << 20)
        put = requests.put(url, data=content, headers={"Expect": "100-continue"}, auth=admin.auth, timeout=60)
        assert put.status_code == 201, put.text
        assert requests.get(url, auth=admin.auth, timeout=60).content == content
        head = requests.head(url, auth=admin.auth, timeout=60)
        assert head.headers["Content-Length"] == str(len(content))
        admin.ok("DELETE", f"repositories/{name}")

    def test_concurrent_requests_on_kept_connections(self, nexus: Nexus, admin: Api) -> None:
        def some(_number: int) -> set[int]:
            with requests.Session() as session:
                session.auth = admin.auth
                url = f"{nexus.url}/service/rest/v1/security/roles"
                return {session.get(url, timeout=30).status_code for _ in range(10)}

        with ThreadPoolExecutor(8) as pool:
            assert set.union(*pool.map(some, range(8))) == {200}

    def test_account_of_stand_in_is_hidden(self, admin: Api) -> None:
        users = {user["userId"] for user in admin.ok("GET", "security/users")}
        assert {"admin", "anonymous"} <= users
        assert "docker-format-stand-in" not in users
