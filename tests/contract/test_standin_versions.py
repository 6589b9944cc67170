"""What newer versions of Nexus do, as the stand-in plays them: its docstring says what from which version on."""

from __future__ import annotations

import base64
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from nexus_registry.providers.client import Connection
from nexus_registry.providers.errors import RateLimited, Unauthorized
from nexus_registry.providers.registry_check import check_registry
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.eula import EulaProvider

from sandbox.packages import ensure
from tests.unit.steps_shell import SHELLS, run
from tests.unit.test_steps_config import JETTY_12_XML

from .docker_api import Api, People, Registry, Repository, hosted, named
from .every_version import refusal
from .https import answers, certificate, eventually
from .server import KEYSTORE_PASSWORD, Nexus
from .tracked import Tracked

NEWEST = "3.96.0-01"


@pytest.fixture
def newest(nexus: Nexus, admin: Api) -> Iterator[None]:
    """The newest version, its licence accepted, with no wrong logins counted."""
    nexus.play()
    admin.ok("GET", "status")
    nexus.play(NEWEST)
    licence = admin.ok("GET", "system/eula")
    admin.ok("POST", "system/eula", licence | {"accepted": True})
    yield
    nexus.play(NEWEST)
    admin.ok("POST", "system/eula", licence)
    nexus.play()


def sign_in(nexus: Nexus, user: str, password: str) -> int:
    """What the form of the user interface is answered."""
    form = {"username": user, "password": password}
    form = {key: base64.b64encode(value.encode()).decode() for key, value in form.items()}
    return requests.post(f"{nexus.url}/service/rapture/session", data=form, timeout=30).status_code


def shut(nexus: Nexus, user: str) -> None:
    """One wrong login too many."""
    wrong = Api(nexus, (user, "guessed-1"))
    assert [wrong.call("GET", "status").status_code for _ in range(5)] == [401, 401, 401, 401, 429]


@pytest.mark.kinds("Eula", on="stand-in")
def test_licence_is_accepted_once(nexus: Nexus, admin: Api, connection: Connection) -> None:
    nexus.play(NEWEST)
    before = admin.ok("GET", "system/eula")
    licence = Tracked(EulaProvider(), connection)
    try:
        assert licence.up(accepted=True) == "create"
        assert admin.ok("GET", "system/eula")["accepted"] is True
        assert licence.up(accepted=True) == "same"
        assert licence.refresh() == "same"
        licence.destroy()
        assert admin.ok("GET", "system/eula")["accepted"] is True, "acceptance is not taken back"
    finally:
        admin.ok("POST", "system/eula", before)
        nexus.play()


@pytest.mark.usefixtures("newest")
class TestLogins:
    """The limiter of 3.93."""

    def test_fourth_wrong_login_locks_account(
        self, nexus: Nexus, admin: Api, repository: Repository, people: People
    ) -> None:
        user, password = people.add(f"nx-repository-view-docker-{repository.name}-*")
        right: list[Callable[[], int]] = [
            lambda: Api(nexus, (user, password)).call("GET", "status").status_code,
            lambda: sign_in(nexus, user, password),
            lambda: repository.as_(user, password).call("GET", "/v2/").status_code,
        ]
        assert repository.as_(user, "wrong").call("GET", "/v2/").status_code == 401
        assert repository.as_(user, "wrong").call("GET", "/v2/").status_code == 401
        assert sign_in(nexus, user, "wrong") == 403
        assert [one() for one in right] == [200, 204, 200]
        assert Api(nexus, (user, "wrong")).call("GET", "system/eula").status_code == 401
        assert [one() for one in right] == [429, 429, 429]

        said = Api(nexus, (user, password)).call("GET", "status")
        assert said.headers["Content-Type"].startswith("text/html")
        assert int(said.headers["Retry-After"]) < 900
        assert admin.call("GET", "status").status_code == 200
        assert repository.registry.call("GET", "/v2/").status_code == 200
        assert repository.nobody().call("GET", "/v2/").headers["WWW-Authenticate"].startswith("BASIC")

    def test_every_request_restarts_wait(self, nexus: Nexus, people: People) -> None:
        right = Api(nexus, people.add("nx-search-read"))
        assert right.auth
        shut(nexus, right.auth[0])
        nexus.play(NEWEST, limited_seconds=2)
        for _ in range(2):
            time.sleep(1.1)
            assert right.call("GET", "status").status_code == 429
        time.sleep(2.2)
        assert right.call("GET", "status").status_code == 200

    def test_older_version_counts_nothing(self, nexus: Nexus, people: People) -> None:
        user, password = people.add("nx-search-read")
        nexus.play("3.92.0-03")
        assert {Api(nexus, (user, "wrong")).call("GET", "status").status_code for _ in range(6)} == {401}
        assert Api(nexus, (user, password)).call("GET", "status").status_code == 200

    def test_wrong_admin_password_is_sent_once(self, nexus: Nexus, admin: Api, connection: Connection) -> None:
        wrong: Connection = {**connection, "password": named("mistyped")}
        for _ in range(3):
            for provider, desired in (
                (RoleProvider, {"role_id": "x"}),
                (UserProvider, {"user_id": "x", "password": "p-1", "roles": ["nx-admin"]}),
                (DockerHostedRepositoryProvider, {"name": "x"}),
            ):
                with pytest.raises(Unauthorized):
                    Tracked(provider(), wrong).up(**desired)
        for _ in range(2):
            assert Api(nexus, ("admin", "wrong")).call("GET", "status").status_code == 401
        assert admin.call("GET", "status").status_code == 200

    def test_locked_account_error_has_remedy(
        self, nexus: Nexus, connection: Connection, repository: Repository, people: People
    ) -> None:
        user, password = people.add("nx-all")
        shut(nexus, user)
        remedy = "have another administrator set its password again"
        began = time.monotonic()
        said = refusal(RoleProvider, {**connection, "username": user, "password": password}, role_id="x")
        assert re.search(
            rf"role 'x': .*429.*wrong passwords for user '{user}'.*quarter of an hour.*{remedy}", said
        )
        server = f"127.0.0.1:{repository.port}"
        login = {"login_server": server, "scheme": "http", "username": user, "password": password}
        with pytest.raises(RateLimited, match=rf"registry {server}: .*docker login as '{user}'.*429.*{remedy}"):
            check_registry({**login, "ca": "", "anonymous_pull": False})
        assert time.monotonic() - began < 300, "it waited the quarter of an hour"

    def test_update_of_user_unlocks_account(self, nexus: Nexus, connection: Connection) -> None:
        name = named("user")
        user = Tracked(UserProvider(), connection)
        desired: dict[str, Any] = {"user_id": name, "password": "first-1", "roles": ["nx-anonymous"]}
        user.up(**desired)

        def login(password: str) -> int:
            return Api(nexus, (name, password)).call("GET", "status").status_code

        shut(nexus, name)
        assert user.refresh() == "same"
        desired["password"] = "second-2"
        assert (user.up(**desired), login("second-2")) == ("update", 200)
        shut(nexus, name)
        desired["first_name"] = "Ada"
        assert (user.up(**desired), login("second-2")) == ("update", 200)
        shut(nexus, name)
        again = Tracked(UserProvider(), connection)
        with pytest.raises(RateLimited, match=f"user '{name}'"):
            again.up(**desired)
        desired["password"] = "third-3"
        assert (again.up(**desired, adopt=True), login("third-3")) == ("create", 200)
        again.destroy()


@pytest.mark.usefixtures("newest")
class TestPaths:
    """Path-based routing of 3.83."""

    def test_repository_moves_between_path_and_port(
        self, nexus: Nexus, admin: Api, connection: Connection, tmp_path: Path
    ) -> None:
        ensure("skopeo")
        name, port = named("images"), nexus.connector_port()
        repository = Tracked(DockerHostedRepositoryProvider(), connection)
        by_path: dict[str, Any] = {"name": name, "path_enabled": True, "force_destroy": True}
        assert (repository.up(**by_path), repository.refresh()) == ("create", "same")
        assert admin.ok("GET", f"repositories/docker/hosted/{name}")["docker"]["pathEnabled"] is True

        registry, image = Registry(nexus.url, auth=admin.auth), f"/v2/{name}/team/app"
        assert Registry(nexus.url).call("GET", "/v2/").headers["WWW-Authenticate"].startswith("BASIC")
        assert registry.call("GET", "/v2/").json() == {}
        assert registry.push(f"{name}/team/app", "1").status_code == 201
        assert registry.call("GET", f"{image}/manifests/1").status_code == 200
        assert registry.call("GET", f"{image}/tags/list").json() == {"name": f"{name}/team/app", "tags": ["1"]}
        source = f"docker://127.0.0.1:{nexus.http_port}/{name}/team/app:1"
        credentials = ["--src-tls-verify=false", "--src-creds", ":".join(admin.auth or ())]
        subprocess.run(["skopeo", "copy", "-q", *credentials, source, f"dir:{tmp_path}"], check=True, timeout=60)

        by_port = {"name": name, "http_port": port, "force_destroy": True}
        assert (repository.up(**by_port), repository.refresh()) == ("update", "same")
        assert registry.call("GET", f"{image}/manifests/1").status_code == 404
        connector = Registry(f"http://127.0.0.1:{port}", auth=admin.auth)
        assert connector.call("GET", "/v2/team/app/manifests/1").status_code == 200
        assert (repository.up(**by_path), repository.refresh()) == ("update", "same")
        assert registry.call("GET", f"{image}/manifests/1").status_code == 200
        repository.destroy()
        assert registry.call("GET", f"{image}/manifests/1").status_code == 404

    @pytest.mark.usefixtures("token_realm", "anonymous")
    def test_anonymous_pull_with_token_for_full_name(self, nexus: Nexus, admin: Api) -> None:
        name = named("open")
        admin.ok("POST", "repositories/docker/hosted", hosted(name, pathEnabled=True, forceBasicAuth=False))
        registry = Registry(nexus.https_url, auth=admin.auth, verify=str(nexus.ca))
        assert registry.push(f"{name}/app", "1").status_code == 201
        nobody = Registry(nexus.https_url, verify=str(nexus.ca))
        challenge = nobody.call("GET", f"/v2/{name}/app/manifests/1").headers["WWW-Authenticate"]
        realm = f"{nexus.https_url}/v2/token"
        assert challenge == f'Bearer realm="{realm}",service="{realm}",scope="repository:{name}/app:pull"'
        nobody.token = nobody.call("GET", "/v2/token").json()["token"]
        assert nobody.call("GET", f"/v2/{name}/app/manifests/1").status_code == 200
        assert nobody.push(f"{name}/app", "2").status_code == 401
        admin.ok("DELETE", f"repositories/{name}")

    @pytest.mark.parametrize("other", [{"httpPort": 5999}, {"httpsPort": 5999}, {"subdomain": "images"}])
    def test_path_enabled_excludes_ports(self, admin: Api, other: dict[str, Any]) -> None:
        body = hosted(named("both"), pathEnabled=True, **other)
        refused = admin.call("POST", "repositories/docker/hosted", body)
        (error,) = refused.json()
        assert (refused.status_code, error["id"]) == (400, "PARAMETER pathEnabled")
        assert next(iter(other)) in error["message"]

    def test_path_enabled_on_old_version_is_refused(
        self, nexus: Nexus, admin: Api, connection: Connection
    ) -> None:
        nexus.play("3.82.0-08")
        name = named("images")
        said = refusal(DockerHostedRepositoryProvider, connection, name=name, path_enabled=True)
        assert said.startswith(f"docker repository '{name}': path_enabled: is not known to Nexus 3.82.0-08")
        assert name not in {one["name"] for one in admin.ok("GET", "repositories")}
        assert Registry(nexus.url).call("GET", "/v2/").status_code == 404

    def test_path_enabled_on_hidden_old_version_is_reported(
        self, nexus: Nexus, admin: Api, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nexus.play("3.82.0-08")
        monkeypatch.setattr("nexus_registry.providers.available.parse_server_header", lambda _header: ("", ""))
        name = named("images")
        said = refusal(DockerHostedRepositoryProvider, connection, name=name, path_enabled=True)
        assert said.startswith(f"docker repository '{name}': path_enabled: is not known to this server")
        assert name not in {one["name"] for one in admin.ok("GET", "repositories")}


CORE = """#!/usr/bin/env python3
import http.server, os, re

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

port = re.findall(r"-Dapplication-port=(\\d+)", os.environ["KARAF_OPTS"])[-1]
http.server.HTTPServer(("127.0.0.1", int(port)), Answers).serve_forever()
"""
"""Instead of Core, where all that matters is what is in front of it."""
CONNECTOR = """  <Call name="addConnector"><Arg>
    <New id="httpsConnector" class="org.eclipse.jetty.server.ServerConnector">
      <Set name="port"><Property name="application-port-ssl"/></Set>
    </New>
  </Arg></Call>
</Configure>
"""
SCANNER = b"PK\0\1org/eclipse/jetty/util/ssl/KeyStoreScanner.class\0"


class TestJetty12:
    """``jetty-https.xml`` as builds with Jetty 12 have it."""

    @pytest.fixture
    def server(self, nexus: Nexus, tmp_path: Path) -> Iterator[Nexus]:
        home = tmp_path / "nexus"
        shutil.copytree(nexus.home / "etc", home / "etc")
        shutil.copytree(nexus.home / "bin", home / "bin")
        (home / "standin").symlink_to(nexus.home / "standin")
        (home / "bin/karaf").write_text(CORE)
        (home / "etc/jetty/jetty-https.xml").write_text(JETTY_12_XML.replace("</Configure>\n", CONNECTOR))
        (home / "lib").mkdir()
        (home / "lib/jetty-util-12.0.17.jar").write_bytes(SCANNER)
        made = Nexus(tmp_path, home)
        yield made
        made.stop()

    def configure(self, server: Nexus, file: str, **properties: str) -> None:
        args = f"${{jetty.etc}}/jetty.xml,${{jetty.etc}}/jetty-http.xml,{file}"
        server.configure(https=False, properties={"nexus-args": args, **properties})

    def test_derived_https_xml_serves_deployed_and_new_keystore(self, server: Nexus) -> None:
        keystore = server.data_dir / "etc/ssl/keystore.jks"
        java = Path(str(shutil.which("java"))).resolve().parents[1]
        expected = server.write_keystore()
        body = f'derive_https_xml {server.home} {keystore} {java} "$KEYSTORE_PASSWORD"'
        derived = run(SHELLS["dash"], body, secrets={"KEYSTORE_PASSWORD": KEYSTORE_PASSWORD})
        (server.data_dir / "etc/jetty-https.xml").write_text(derived)
        self.configure(server, "${karaf.data}/etc/jetty-https.xml")
        server.play(NEWEST)
        server.start()
        assert certificate(server, ssl.TLSVersion.TLSv1_3) == ssl.PEM_cert_to_DER_cert(expected)
        renewed = ssl.PEM_cert_to_DER_cert(server.write_keystore())
        eventually(lambda: answers(server) and certificate(server) == renewed)

    def test_vendor_https_xml_of_jetty_12_reads_keystore_property(self, server: Nexus) -> None:
        """The installed file itself finds its keystore by property and needs jetty 12."""
        expected = server.write_keystore(password="password")
        where = {"jetty.sslContext.keyStorePath": "../ssl/keystore.jks"}
        self.configure(server, "${jetty.etc}/jetty-https.xml", **where)
        server.play("3.77.0-01")
        with pytest.raises(RuntimeError, match="does not answer"):
            server.start()
        assert "java.lang.NoSuchMethodException: org.eclipse.jetty.xml.XmlConfiguration.resolvePath" in server.log
        server.play(NEWEST)
        server.start()
        assert certificate(server) == ssl.PEM_cert_to_DER_cert(expected)
        answer = requests.get(f"{server.https_url}/", verify=str(server.ca), timeout=30)
        assert answer.headers["Server"] == f"Nexus/{NEWEST} (COMMUNITY)"
