"""The docker-format stand-in behaves as Nexus 3.71 is known to: the registry on its connectors."""

from __future__ import annotations

import subprocess
import uuid
from typing import Any

import pytest
import requests

from sandbox.packages import ensure

from .docker_api import Api, People, Registry, Repository, hosted, named
from .https import Https
from .server import Nexus


class TestRegistry:
    """Section 5."""

    def test_basic_challenge_without_token_realm(self, repository: Repository) -> None:
        answer = repository.nobody().call("GET", "/v2/")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'BASIC realm="Sonatype Nexus Repository Manager"'
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"

    def test_bearer_challenge_with_token_realm(self, repository: Repository) -> None:
        repository.change(forceBasicAuth=False)
        where = f"http://127.0.0.1:{repository.port}/v2/token"
        answer = repository.nobody().call("GET", "/v2/")
        assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{where}",service="{where}"'
        answer = repository.nobody().call("GET", "/v2/team/app/manifests/1")
        expected = f'Bearer realm="{where}",service="{where}",scope="repository:team/app:pull"'
        assert answer.headers["WWW-Authenticate"] == expected

    @pytest.mark.parametrize("basic", [True, False])
    def test_basic_credentials_are_accepted(self, repository: Repository, basic: bool) -> None:
        repository.change(forceBasicAuth=basic)
        assert repository.registry.call("GET", "/v2/").json() == {}
        assert repository.as_("admin", "wrong").call("GET", "/v2/").status_code == 401
        assert repository.as_("admin", "wrong").call("GET", "/v2/token").status_code == 401

    def test_token_needs_realm(self, repository: Repository, admin: Api, token_realm: None) -> None:
        bearer = repository.token(admin.auth)
        assert bearer.token.startswith("DockerToken.")
        assert bearer.call("GET", "/v2/").status_code == 200
        assert repository.token(admin.auth).token == bearer.token
        admin.ok("PUT", "security/realms/active", ["NexusAuthenticatingRealm"])
        assert repository.token(admin.auth).token == bearer.token
        assert bearer.call("GET", "/v2/").status_code == 401
        admin.ok("PUT", "security/realms/active", ["NexusAuthenticatingRealm", "DockerToken"])
        assert bearer.call("GET", "/v2/").status_code == 200
        assert Registry(bearer.url, token="DockerToken.nope").call("GET", "/v2/").status_code == 401

    def test_token_is_valid_until_user_is_deleted(
        self, nexus: Nexus, repository: Repository, admin: Api, people: People, token_realm: None
    ) -> None:
        user, password = people.add(f"nx-repository-view-docker-{repository.name}-read")
        bearer = repository.token((user, password))
        assert bearer.call("GET", "/v2/").status_code == 200
        assert repository.as_(user, password).call("GET", "/v2/").status_code == 200
        changed = requests.put(
            f"{nexus.url}/service/rest/v1/security/users/{user}/change-password",
            data="second-2",
            headers={"Content-Type": "text/plain"},
            auth=admin.auth,
            timeout=30,
        )
        assert changed.status_code == 204
        assert bearer.call("GET", "/v2/").status_code == 200
        assert repository.as_(user, password).call("GET", "/v2/").status_code == 401
        assert repository.as_(user, "second-2").call("GET", "/v2/").status_code == 200
        admin.ok("DELETE", f"security/users/{user}")
        assert bearer.call("GET", "/v2/").status_code == 401

    @pytest.mark.parametrize("by_token", [False, True], ids=["password", "token"])
    def test_each_privilege_allows_its_requests(
        self, repository: Repository, people: People, token_realm: None, by_token: bool
    ) -> None:
        assert repository.registry.push("app", "1").status_code == 201

        def registry(*actions: str) -> Registry:
            user = people.add(*(f"nx-repository-view-docker-{repository.name}-{action}" for action in actions))
            return repository.token(user) if by_token else repository.as_(*user)

        pull = registry("read")
        assert pull.call("GET", "/v2/app/manifests/1").status_code == 200
        assert pull.call("GET", "/v2/app/tags/list").json() == {"name": "app", "tags": ["1"]}
        refused = pull.push("app", "2")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "DENIED")
        assert registry("read", "add").push("app", "2").status_code == 403
        assert registry("read", "edit").push("app", "2").status_code == 403
        assert registry("add", "edit").push("app", "2").status_code == 403
        assert registry("read", "add", "edit").push("app", "2").status_code == 201
        everything = registry("*")
        assert everything.push("app", "3").status_code == 201
        path = (
            f"/v2/app/manifests/{everything.call('GET', '/v2/app/manifests/3').headers['Docker-Content-Digest']}"
        )
        assert registry("read", "add", "edit").call("DELETE", path).status_code == 403
        assert everything.call("DELETE", path).status_code == 202
        assert everything.call("GET", "/v2/app/manifests/3").status_code == 404
        assert registry().call("GET", "/v2/app/manifests/1").status_code == 403

    def test_privilege_of_another_format_allows_nothing(self, repository: Repository, people: People) -> None:
        user = people.add("nx-repository-view-maven2-*-*")
        assert repository.as_(*user).call("GET", "/v2/").status_code == 403

    def test_anonymous_pull_needs_force_basic_auth_off(
        self, repository: Repository, admin: Api, anonymous: None, token_realm: None
    ) -> None:
        assert repository.registry.push("app", "1").status_code == 201
        assert repository.nobody().call("GET", "/v2/token").status_code == 401  # while basic auth is forced
        repository.change(forceBasicAuth=False)
        bearer = repository.token(None)
        assert bearer.call("GET", "/v2/").status_code == 200
        assert bearer.call("GET", "/v2/app/manifests/1").status_code == 200
        refused = bearer.push("app", "2")
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
        admin.ok("PUT", "security/realms/active", ["NexusAuthenticatingRealm"])
        assert bearer.call("GET", "/v2/app/manifests/1").status_code == 401

    def test_anonymous_pull_needs_anonymous_access(
        self, repository: Repository, no_anonymous: None, token_realm: None
    ) -> None:
        repository.change(forceBasicAuth=False)
        assert repository.nobody().call("GET", "/v2/token").status_code == 401

    def test_write_policy_limits_pushes(self, repository: Repository) -> None:
        push = repository.registry.push
        assert push("app", "1").status_code == push("app", "latest").status_code == 201
        assert push("app", "1").status_code == 201
        repository.store(writePolicy="ALLOW_ONCE")
        refused = push("app", "1")
        assert refused.status_code == 400
        error = refused.json()["errors"][0]
        assert error["detail"] == f"Repository does not allow updating assets: {repository.name}"
        assert push("app", "latest").status_code == 400
        assert push("app", "2").status_code == 201
        repository.store(latestPolicy=True)
        assert push("app", "latest").status_code == 201
        assert push("app", "2").status_code == 400
        repository.store(writePolicy="DENY", latestPolicy=False)
        assert push("app", "3").status_code == 400
        assert repository.registry.call("GET", "/v2/app/manifests/2").status_code == 200

    def test_offline_repository_responds_503(self, repository: Repository) -> None:
        repository.body["online"] = False
        repository.change()
        assert repository.registry.call("GET", "/v2/").status_code == 503

    def test_each_repository_has_its_own_images(self, nexus: Nexus, repository: Repository, admin: Api) -> None:
        other, port = named("Other"), nexus.connector_port()
        admin.ok("POST", "repositories/docker/hosted", hosted(other, httpPort=port))
        second = Registry(f"http://127.0.0.1:{port}", auth=admin.auth)
        assert repository.registry.push("one", "1").status_code == 201
        assert second.push("two", "1").status_code == 201
        assert repository.registry.call("GET", "/v2/_catalog").json() == {"repositories": ["one"]}
        assert second.call("GET", "/v2/_catalog").json() == {"repositories": ["two"]}
        assert second.call("GET", "/v2/one/manifests/1").status_code == 404
        assert f"{other}" not in second.call("GET", "/v2/none/manifests/1").text
        admin.ok("DELETE", f"repositories/{other}")

    def test_image_is_pulled_by_path_on_application_port(
        self, nexus: Nexus, repository: Repository, admin: Api
    ) -> None:
        assert repository.registry.push("app", "1").status_code == 201
        by_path = Registry(f"{nexus.url}/repository/{repository.name}", auth=admin.auth)
        assert by_path.call("GET", "/v2/app/manifests/1").status_code == 200

    def test_skopeo_pulls_and_pushes(
        self, repository: Repository, admin: Api, token_realm: None, tmp_path: Any
    ) -> None:
        ensure("skopeo")
        repository.change(forceBasicAuth=False)
        layer = uuid.uuid4().bytes * 200_000
        assert repository.registry.push("app", "1", layer).status_code == 201
        source = f"docker://127.0.0.1:{repository.port}/app:1"
        for target in (f"dir:{tmp_path}/copy", f"docker://127.0.0.1:{repository.port}/team/copy:2"):
            arguments = ["--src-tls-verify=false", "--dest-creds", ":".join(admin.auth or ())]
            if target.startswith("docker"):
                arguments.append("--dest-tls-verify=false")
            credentials = ["--src-creds", ":".join(admin.auth or ())]
            command = ["skopeo", "copy", "-q", *arguments, *credentials, source, target]
            subprocess.run(command, check=True, timeout=60)
        assert layer in {file.read_bytes() for file in (tmp_path / "copy").iterdir()}
        assert repository.registry.call("GET", "/v2/team/copy/manifests/2").status_code == 200


class TestHttps(Https):
    """HTTPS as the real Jetty has it (``test_core.py``), and the connectors over HTTPS."""

    @pytest.fixture
    def server(self, nexus: Nexus) -> Nexus:
        return nexus

    def test_front_and_connector_serve_https(self, nexus: Nexus, admin: Api) -> None:
        answer = requests.get(f"{nexus.https_url}/service/rest/v1/status", verify=str(nexus.ca), timeout=30)
        assert (answer.status_code, answer.headers["Server"]) == (200, "Nexus/3.71.0-06 (OSS)")
        name, port = named("secure"), nexus.connector_port()
        admin.ok("POST", "repositories/docker/hosted", hosted(name, httpsPort=port, forceBasicAuth=False))
        registry = Registry(f"https://127.0.0.1:{port}", auth=admin.auth, verify=str(nexus.ca))
        challenge = Registry(registry.url, verify=str(nexus.ca)).call("GET", "/v2/")
        assert f'realm="https://127.0.0.1:{port}/v2/token"' in challenge.headers["WWW-Authenticate"]
        assert registry.push("app", "1").status_code == 201
        assert registry.call("GET", "/v2/app/manifests/1").status_code == 200
        shown = requests.get(
            f"{nexus.https_url}/service/rest/v1/repositories/{name}",
            auth=admin.auth,
            verify=str(nexus.ca),
            timeout=30,
        )
        assert shown.json()["url"] == f"{nexus.https_url}/repository/{name}"
        admin.ok("DELETE", f"repositories/{name}")
