"""`nexus-registry export`: what it reads of a server, what a stack does not manage, and its arguments."""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nexus_registry.providers as providers
import pytest
import yaml
from nexus_registry.cli import export
from nexus_registry.cli.main import main
from nexus_registry.cli.objects import Choice, Object, Snapshot, read
from nexus_registry.cli.program import program
from nexus_registry.cli.state import Unreadable
from nexus_registry.cli.unmanaged import unmanaged
from nexus_registry.providers import client

from .exported import SERVER, Played, found, user
from .fake import FakeServer, Request, Response, serve


def resource(kind: str, id_: str, url: str = "", **more: Any) -> dict[str, Any]:
    connection = {"connection": {"url": url, "password": "x"}} if url else {}
    token = getattr(providers, kind)._resource_type_name
    return {"type": f"pulumi-python:{token}", "urn": f"a::{id_}", "id": id_, "inputs": connection, **more}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"deployment": {"resources": list(resources)}}


HERE, ELSEWHERE = "https://nexus.example.com:443/", "https://other.example.com"
FILES = resource("RawHostedRepository", "files")
REALMS = Object(providers.ActiveRealms, "realms", {"realms": ["DockerToken"]})


@pytest.mark.parametrize(
    ("resources", "left"),
    [
        ([], ["ActiveRealms 'realms'", "RawHostedRepository 'files'", "User 'a'", "User 'b'"]),
        ([resource("User", "a"), resource("RealmActivation", "DockerToken"), FILES], ["User 'b'"]),
        ([resource("User", "a", HERE), resource("User", "b", ELSEWHERE)],
         ["ActiveRealms 'realms'", "RawHostedRepository 'files'", "User 'b'"]),
        ([resource("User", "a", inputs={"configured_url": HERE}), resource("User", "b", ELSEWHERE)],
         ["ActiveRealms 'realms'", "RawHostedRepository 'files'", "User 'b'"]),
        ([resource("User", "a"), resource("User", "b", ELSEWHERE)],
         ["ActiveRealms 'realms'", "RawHostedRepository 'files'", "User 'b'"]),
        ([resource("User", "a", ELSEWHERE), resource("User", "b", delete=True),
          resource("User", "b", external=True)],
         ["ActiveRealms 'realms'", "RawHostedRepository 'files'", "User 'b'"]),
        ([resource("RawProxyRepository", "files"), resource("Role", "a")],
         ["ActiveRealms 'realms'", "User 'a'", "User 'b'"]),
    ],
)  # fmt: skip
def test_diff_names_unmanaged_objects(resources: list[dict[str, Any]], left: list[str]) -> None:
    objects = [user("b"), user("a"), REALMS, found("RawHostedRepository", name="files")]
    assert list(map(str, unmanaged(Snapshot(SERVER["url"], objects=objects), state(*resources)))) == left


def test_diff_asks_for_server_where_stack_has_several() -> None:
    resources = [resource("User", "a", ELSEWHERE), resource("User", "b", "https://third.example.com")]
    with pytest.raises(Unreadable, match=r"^--url: the stack has no resource on https://nexus\.example\.com:443"):
        unmanaged(Snapshot(SERVER["url"]), state(*resources))


LISTS: dict[str, Any] = {
    "/v1/security/roles?source=default": [
        {"id": "nx-admin", "name": "nx-admin", "readOnly": True, "privileges": [], "roles": []},
        {"id": "ops", "name": "ops", "description": None, "readOnly": False, "privileges": [], "roles": []},
    ],
    "/v1/security/users?source=default": [
        {"userId": one, "firstName": one, "lastName": one, "emailAddress": "a@b.c", "status": "active",
         "roles": ["ops"], "readOnly": False}
        for one in ("admin", "anonymous", "alice")
    ],
    "/v1/repositorySettings": [
        {"name": "odd", "format": "new", "type": "hosted", "url": "", "online": True},
        {"name": "files", "format": "raw", "type": "hosted", "online": True, "raw": {},
         "storage": {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "ALLOW"}},
    ],
    "/v1/repositories": [{"name": "files", "format": "raw", "type": "hosted", "url": ""}],
    "/v1/blobstores": [{"name": "default", "type": "File"}],
    "/v1/blobstores/file/default": {"path": "default", "softQuota": None},
    "/v1/security/realms/active": ["NexusAuthenticatingRealm"],
    "/v1/email": {"enabled": False, "host": "", "port": 25, "fromAddress": None},
    "/v1/status": {},
}  # fmt: skip


def answer(request: Request) -> Response:
    path = request.path.removeprefix("/service/rest")
    if path == "/v1/routing-rules":
        return Response(403, "")
    return Response(200, LISTS[path]) if path in LISTS else Response(404, {})


@pytest.fixture
def server() -> Any:
    with serve(answer) as fake:
        yield fake


def test_export_reads_each_list_once_and_writes_program(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    folder = tmp_path / "my nexus"
    assert main(["export", "--url", server.url, "--output", str(folder)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("3 resources written to ")
    assert "not declared: repository 'odd': no kind is declared for it (new hosted)" in shown.err
    assert "not read: routing rule: " in shown.err
    twice = {one for one, count in Counter(server.methods()).items() if count > 1}
    assert twice <= {"GET /v1/status", "GET /v1/security/ldap"}, "two kinds have what is there"
    assert {one.split()[0] for one in server.methods()} == {"GET"}
    played = Played({file.name: file.read_text() for file in folder.iterdir()})
    assert set(played.made) == {("Role", "ops"), ("User", "alice"), ("RawHostedRepository", "files")}
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["name"] == "my-nexus"


@pytest.mark.parametrize(
    ("path", "response", "line"),
    [
        ("/v1/security/roles?source=default", Response(500), "role: GET "),
        ("/v1/security/roles?source=default", Response(200, "<html>"), "role: GET "),
        ("/v1/security/roles?source=default", Response(200, {"odd": 1}), "role: GET "),
        ("/v1/security/roles?source=default", Response(200, [1]), "role 1: the content of the response is not"),
        ("/v1/repositorySettings", Response(200, [{"name": "odd"}]), "repository 'odd': GET "),
        ("/v1/blobstores/file/default", Response(500), "blob store 'default': GET "),
    ],
)
def test_rest_is_exported_when_a_list_fails(
    path: str,
    response: Response,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    monkeypatch.setattr("nexus_registry.providers.client.time.sleep", lambda _seconds: None)

    def partly(request: Request) -> Response:
        return response if request.path == f"/service/rest{path}" else answer(request)

    with serve(partly) as fake:
        assert main(["export", "--url", fake.url, "--output", str(tmp_path / "new")]) == 2
    assert f"not read: {line}" in capsys.readouterr().err
    assert "alice" in (tmp_path / "new/security.py").read_text()
    assert line in (tmp_path / "new/README.md").read_text()


def test_only_list_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    with serve(lambda request: Response(200, "<html>") if "roles" in request.path else answer(request)) as fake:
        chosen = ["--only", "Role", "--output", str(tmp_path / "new")]
        assert main(["export", "--url", fake.url, *chosen]) == 2
    shown = capsys.readouterr().err
    assert "not read: role: GET " in shown
    assert "Nothing was written" in shown
    assert not (tmp_path / "new").exists()


def test_server_that_stops_ends_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    monkeypatch.setattr(export, "NexusClient", partial(client.NexusClient, retry_timeout=0.2))
    seen: set[str] = set()

    def stopping(request: Request) -> Response:
        seen.add(request.path)
        return answer(request) if len(seen) < 8 else Response(502)

    with serve(stopping) as fake:
        assert main(["export", "--url", fake.url, "--output", str(tmp_path / "new")]) == 2
        assert len(seen) == 8, "it asked for more of a server that does not answer"
    assert "GET" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("body", [1, {}, {"items": [{}]}])
def test_server_that_is_no_nexus_is_told_in_one_line(
    body: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    with serve(lambda _: Response(200, body)) as fake:
        assert main(["export", "--url", fake.url, "--output", str(tmp_path / "new")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("--url: nothing can be read there. ")
    assert line.endswith("Give the address of a Nexus.")
    assert not (tmp_path / "new").exists()


def test_work_grows_with_number_of_objects() -> None:
    """Calls are counted, as time differs between runs."""
    roles: list[dict[str, Any]] = []

    def listed(request: Request) -> Response:
        return (
            Response(200, roles) if "roles" in request.path else Response(200 if "status" in request.path else 404)
        )

    def calls(number: int) -> int:
        roles[:] = [LISTS["/v1/security/roles?source=default"][1] | {"id": f"r{one}"} for one in range(number)]
        client.reset()
        counted = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal counted
            counted += event == "call"

        with serve(listed) as fake:
            sys.setprofile(count)
            try:
                program(read(client.NexusClient({"url": fake.url}), Choice()))
            finally:
                sys.setprofile(None)
        return counted

    calls(1)  # what is computed once
    assert calls(400) - calls(200) < 2.5 * (calls(200) - calls(100))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ({"url": "file:///src/a%20b", "dir_info": {"editable": True}}, "-e file:///src/a%20b"),
        ({"url": "file:///src/nexus", "dir_info": {}}, "nexus-registry @ file:///src/nexus"),
        (
            {"url": "https://git.example.com/n.git", "vcs_info": {"vcs": "git", "commit_id": "f" * 40}},
            f"nexus-registry @ git+https://git.example.com/n.git@{'f' * 40}",
        ),
        (
            {"url": "https://token@git.example.com/n.git", "vcs_info": {"vcs": "git", "commit_id": "f" * 40}},
            f"nexus-registry @ git+https://git.example.com/n.git@{'f' * 40}",
        ),
        (
            {"url": "ssh://git:secret@git.example.com/n.git", "vcs_info": {"vcs": "git", "commit_id": "f" * 40}},
            f"nexus-registry @ git+ssh://git@git.example.com/n.git@{'f' * 40}",
        ),
        ({"url": "https://example.com/n.whl?sig=secret"}, "nexus-registry @ https://example.com/n.whl"),
        (None, "nexus-registry"),
    ],
)
def test_requirement_is_package_as_it_is_installed(
    source: Any, line: str, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name alone is on no index, so that the first `pulumi up` could not install it."""
    texts = (None, source and json.dumps(source))
    installed = [SimpleNamespace(read_text={"direct_url.json": text}.get) for text in texts]
    monkeypatch.setattr("nexus_registry.cli.export.metadata.distributions", lambda **_: installed)
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    assert main(["export", "--url", server.url, "--output", str(tmp_path / "b"), "--only", "Role"]) == 0
    assert (tmp_path / "b/requirements.txt").read_text().splitlines()[1:] == [line]


def test_server_without_rest_api_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it has can't be told, so that it is not as if there were nothing."""
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    (tmp_path / "state.json").write_text(json.dumps(state()))
    header = {"Server": "Nexus/3.19.1-01 (OSS)"}

    def old(request: Request) -> Response:
        return Response(200 if request.path.endswith("/v1/status") else 404, headers=header)

    with serve(old) as fake:
        assert main(["export", "--url", fake.url, "--diff", "--state", str(tmp_path / "state.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("can't tell: much of it: the server is Nexus 3.19.1-01, whose REST API begins with")


def test_only_chosen_kinds_are_read(server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    chosen = ["--only", "Role", "--exclude", "Role:o*"]
    assert main(["export", "--url", server.url, "--output", str(tmp_path / "b"), *chosen]) == 0
    assert server.methods() == ["GET /v1/status", "GET /v1/security/roles?source=default"]
    assert sorted(file.name for file in (tmp_path / "b").iterdir())[:2] == ["Pulumi.yaml", "README.md"]


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (["--url", "nexus.example.com"], "x", "--url: must be https://host:port"),
        (["--url", "https://u:p@nexus.example.com"], "x", "--url: must be https://host:port, without a login"),
        (["--url", "https://h"], "", "NEXUS_PASSWORD: is not set"),
        (["--url", "https://h", "--only", "Rolle"], "x", "--only, --exclude: Rolle matches no kind"),
        (["--url", "https://h", "--name", "a: b"], "x", "--name: must be 1 to 100 letters"),
        (["--url", "https://h", "--ca", __file__], "x", f"--ca: {__file__} must be a certificate in PEM"),
        (["--url", "https://h", "--ca", "/missing"], "x", "--ca: No such file or directory: /missing"),
        (["--url", "https://h", "--output", "a" * 300], "x", "--output: File name too long: aaa"),
        (["--url", "https://a..b"], "x", "--url: must be https://host:port"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], password: str, said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("NEXUS_PASSWORD", password)
    assert main(["export", "--output", str(tmp_path / "new"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_output_is_never_written_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "x")
    (tmp_path / "mine").write_text("")
    assert main(["export", "--url", "https://h", "--output", str(tmp_path)]) == 2
    assert "is not empty. Name a new folder" in capsys.readouterr().err


def test_choice_takes_kinds_modules_and_objects() -> None:
    role = providers.Role
    assert Choice(["security"]).takes(role, "a")
    assert Choice(["Role:a*"]).takes(role, "ab")
    assert not Choice(["Role:a*"]).takes(role, "b")
    assert not Choice(exclude=["Role:a*"]).takes(role, "ab")
    assert Choice(exclude=["Role:a*"]).may_take(role)
    assert not Choice(["storage"]).may_take(role)


def test_json_of_diff_is_read_by_programs(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    file = tmp_path / "state.json"
    file.write_text(json.dumps(state(resource("User", "alice"), resource("RawHostedRepository", "files"))))
    line = ["export", "--url", server.url, "--diff", "--state", str(file)]
    assert main([*line, "--json", "--exclude", "RoutingRule"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["unmanaged"] == [{"kind": "Role", "id": "ops"}]
    assert main([*line, "--only", "User"]) == 0
    assert main(line) == 2, "the routing rules could not be read"


def test_repository_that_settings_list_lacks_is_read_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a new server of 3.89 lacks its own ones until each is used."""
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    named = {"name": "maven-snapshots", "format": "maven2", "type": "hosted", "url": "http://x"}
    storage = {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "DENY"}
    policies = {"versionPolicy": "SNAPSHOT", "layoutPolicy": "STRICT"}
    responses: dict[str, Any] = {
        "/v1/status": {},
        "/v1/repositorySettings": [],
        "/v1/repositories": [named],
        "/v1/repositories/maven/hosted/maven-snapshots": {
            **named,
            "online": True,
            "storage": storage,
            "maven": policies,
        },
    }

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest")
        return Response(200, responses[path]) if path in responses else Response(404, {})

    with serve(script) as fake:
        assert main(["export", "--url", fake.url, "--output", str(tmp_path / "p"), "--only", "repositories"]) == 0
    made = Played({file.name: file.read_text() for file in (tmp_path / "p").iterdir()}).made
    declared = {"name": "maven-snapshots", "version_policy": "SNAPSHOT", "write_policy": "DENY"}
    assert made["MavenHostedRepository", "maven-snapshots"] == declared


@pytest.mark.parametrize("folder", ["2026-11-26", "123", "true", "n" * 120])
def test_folder_names_project_by_text(
    folder: str, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    line = ["export", "--url", server.url, "--output", str(tmp_path / folder), "--only", "AuditCapability"]
    assert main(line) == 0
    assert yaml.safe_load((tmp_path / folder / "Pulumi.yaml").read_text())["name"] == folder[:100]
