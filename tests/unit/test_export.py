"""`nexus-registry export`: from the objects of a server to the texts of a program."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nexus_registry.providers as providers
import pulumi
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from nexus_registry.cli.inputs import inputs_of
from nexus_registry.cli.objects import Object, Snapshot, kinds, provider_of
from nexus_registry.cli.program import program
from nexus_registry.cli.source import WIDTH, Call, identifier, statement, string
from nexus_registry.providers.schema import limits

from docs.examples import OPENPGP_KEY, sample

from . import openapi
from .components import registered
from .exported import SERVER, Played, agrees, checked, found, texts, user

FAST = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
odd_names = st.text("abA -_.@:'\"{}\\é日1²", min_size=1, max_size=6) | st.sampled_from(
    ["class", "config", "ci::a"]
)


@st.composite
def servers(draw: st.DrawFn) -> list[Object]:
    """Roles that contain each other, in circles too, users with them, and repositories in groups."""
    ids = [one for one in draw(st.lists(odd_names, unique=True, max_size=5)) if one.strip(" .")]
    roles = [
        found("Role", role_id=one, name=draw(odd_names.filter(str.strip)), description=draw(any_text),
              roles=[to for to in draw(st.lists(st.sampled_from([*ids, "nx-admin"]), unique=True)) if to != one])
        for one in ids
    ]  # fmt: skip
    names = draw(st.lists(st.text("abc-_.", min_size=1, max_size=4), unique=True, max_size=4))
    names = [name for name in names if name[0] not in "_."]
    repositories = [found("RawHostedRepository", name=name) for name in names]
    if names:
        members = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        repositories.append(found("RawGroupRepository", name="everything", member_names=members))
    return draw(
        st.permutations([*roles, *repositories, *(user(f"u{index}", one) for index, one in enumerate(ids))])
    )


@settings(FAST, max_examples=25)
@given(servers())
def test_program_declares_every_object(objects: list[Object]) -> None:
    files = texts(*objects)
    played = Played(files)
    for one in objects:
        agrees(played, one)
    assert len(played.made) == len(objects)
    assert texts(*reversed(objects)) == files


SIMPLE = [
    kind
    for kind in kinds()
    if hasattr(kind.provider_class, "key")
    and all(
        one.name in openapi.VALID or "form" in limits(one.check)
        for one in kind.declared_properties.values()
        if one.check and one.path
    )
]
"""Kinds of which inputs can be made from what their checks tell."""


@settings(FAST, max_examples=60)
@given(data=st.data())
def test_any_properties_of_any_kind_are_exported(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(SIMPLE))
    inputs = data.draw(openapi.inputs_of(kind))
    for _ in range(4):  # what contradicts another property is taken out, and what another one requires put in
        for failure in provider_of(kind).check({}, {"connection": SERVER, **inputs}).failures:
            name = failure.property
            inputs[name] = None if name in inputs else sample(kind, kind.declared_properties[name])
    assume(checked(kind.__name__, inputs) is not None)
    one = found(kind.__name__, **inputs)
    agrees(Played(texts(one)), one)


def test_resource_name_has_no_urn_delimiter() -> None:
    ids = ("a:b", "a::b", "a:::b", "::::")
    made = Played(texts(*(found("Role", role_id=one, name="x") for one in ids))).made
    assert {name for _, name in made} == {"a:b", "a:b-2", "a:b-2-2", ":"}


def test_most_kinds_are_tested() -> None:
    assert len(SIMPLE) > 60


@settings(FAST)
@given(any_text)
def test_string_literal_evaluates_to_text(text: str) -> None:
    assert ast.literal_eval(string(text)) == text
    assert "\n" not in string(text)


keys = any_text.map(lambda text: text[:8])  # a key is not split over lines
values = st.recursive(
    any_text | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@settings(FAST)
@given(values)
def test_value_is_written_unchanged_in_short_lines(value: Any) -> None:
    text = statement("x", Call("f", (value,), {"y": value}))
    space: dict[str, Any] = {"f": lambda one, y: (one, y)}
    exec(text, space)  # noqa: S102
    assert space["x"] == (value, value)
    assert max(map(len, text.splitlines())) <= WIDTH + 40


@pytest.mark.parametrize(
    ("text", "suffix", "name"),
    [
        ("class", "", "class_"),
        ("match", "", "match_"),
        ("2nd", "role", "_2nd_role"),
        ("Bücher & Maße", "role", "bucher_masse_role"),
        ("日本", "role", "role"),
        ("", "", "value"),
        ("ci-role", "role", "ci_role"),
        ("email", "email server", "email_server"),
        ("taken", "", "taken_2"),
    ],
)
def test_identifier_is_valid_and_unused(text: str, suffix: str, name: str) -> None:
    assert identifier(text, suffix, {"taken"}) == name


PROXY = {"name": "p", "remote_url": "https://example.com"}
LOGIN = {"authentication_type": "username", "authentication_username": "u", "authentication_password": "p"}
APT = {"name": "a", "distribution": "b", "signing_keypair": OPENPGP_KEY}
LDAP = {"name": "l", "host": "h", "search_base": "dc=x"}


@pytest.mark.parametrize(
    ("kind", "inputs", "body", "needed", "optional"),
    [
        ("User", {"user_id": "a", "roles": ["r"]}, {}, [], ["password"]),
        ("RawProxyRepository", PROXY, {}, [], []),
        ("RawProxyRepository", {**PROXY, **LOGIN}, {}, ["authentication_password"], []),
        ("Email", {"host": "h", "from_address": "a@b.c"}, {}, [], []),
        ("Email", {"host": "h", "from_address": "a@b.c", "username": "u"}, {}, [], ["password"]),
        ("LdapServer", {**LDAP, "auth_username": "cn=x", "auth_password": "y"}, {}, ["auth_password"], []),
        ("AptHostedRepository", APT, {"aptSigning": None}, ["signing_keypair"], ["signing_passphrase"]),
        ("YumProxyRepository", PROXY, {}, [], []),
        ("S3BlobStore", {"name": "s", "bucket_name": "some"}, {}, [], []),
        ("S3BlobStore", {"name": "s", "bucket_name": "some", "access_key_id": "i", "secret_access_key": "k"}, {},
         ["secret_access_key"], ["session_token"]),
    ],
)  # fmt: skip
def test_secrets_that_resource_needs_or_may_have(
    kind: str, inputs: dict[str, Any], body: dict[str, Any], needed: list[str], optional: list[str]
) -> None:
    made = inputs_of(found(kind, body, **inputs))
    assert (made.problem, made.needed, made.optional) == ("", needed, optional)


def test_references_stand_for_names() -> None:
    view = {"format": "raw", "repository": "files", "actions": ["READ"]}
    files = texts(
        found("Role", role_id="readers", privileges=["nx-repository-view-raw-files-read", "nx-all"]),
        found("RawHostedRepository", name="files", blob_store_name="big", cleanup_policy_names=["old", "default"]),
        found("FileBlobStore", name="big", path="big"),
        found("CleanupPolicy", name="old", format="*", criteria_last_downloaded=3),
        user("alice", "readers", "nx-admin"),
        built_in=[found("RepositoryViewPrivilege", name="nx-repository-view-raw-files-read", **view)],
    )
    assert list(files)[-3:] == ["storage.py", "repositories.py", "security.py"]
    assert "blob_store_name=big_blob_store.name" in files["repositories.py"]
    assert 'cleanup_policy_names=["default", old_cleanup_policy.name]' in files["repositories.py"]
    assert "from storage import big_blob_store, old_cleanup_policy\n" in files["repositories.py"]
    assert 'Output.format("nx-repository-view-raw-{}-read", files_repository.name)' in files["security.py"]
    assert 'roles=["nx-admin", readers_role.role_id]' in files["security.py"]
    assert "first_name" not in files["security.py"], "a default"


@pytest.mark.parametrize("repository", ["raw", "read", "view"])
def test_privilege_of_repository_is_taken_apart_at_its_name(repository: str) -> None:
    name = f"nx-repository-view-raw-{repository}-read"
    view = found("RepositoryViewPrivilege", name=name, format="raw", repository=repository, actions=["READ"])
    role = found("Role", role_id="r", privileges=[name])
    files = texts(found("RawHostedRepository", name=repository), role, built_in=[view])
    text = re.sub(r"\s+", " ", files["security.py"])
    assert f'"nx-repository-view-raw-{{}}-read", {repository}_repository.name' in text


def test_program_registers_resources_in_the_sdk(
    sdk: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = texts(
        found("Role", role_id="readers", privileges=["nx-all"]),
        found("RawProxyRepository", **PROXY, **LOGIN),
        user("alice", "readers"),
    )
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for module in ("repositories", "security"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    pulumi.runtime.set_all_config({"some:p_repository_authentication_password": "pw"}, [])
    path = str(tmp_path / "__main__.py")
    made = registered(lambda: runpy.run_path(path), "some")
    for module in ("repositories", "security"):
        sys.modules.pop(module, None)
    assert made["User", "alice"]["roles"] == ["readers"]
    assert made["User", "alice"]["incarnations"] == ["token of readers"]
    assert made["RawProxyRepository", "p"]["authentication_password"] == "pw"


def test_circle_of_roles_is_cut_and_of_modules_is_one_module() -> None:
    files = texts(found("Role", role_id="a", roles=["b"]), found("Role", role_id="b", roles=["a"]))
    assert files["security.py"].count(".role_id") == 1
    script = found("Script", name="s", content="x")
    privilege = found("ScriptPrivilege", name="p", script_name="s", actions=["RUN"])
    assert "from system import s_script" in texts(script, privilege)["security.py"]


def test_undeclarable_object_is_left_out_with_reason() -> None:
    role = provider_of(providers.Role)
    body = {"id": "a/b", "name": "x", "description": "", "privileges": [], "roles": []}
    odd = Object(providers.Role, "a/b", role.from_body(body), body)
    group = found("BlobStoreGroup", name="g", members=["default"])
    made = program(Snapshot(SERVER["url"], objects=[odd, user("fine")]))
    assert [one.object.identity for one in made.entries] == ["fine"]
    assert made.left_out[0].startswith("Role 'a/b': role_id: must have no '/'")
    assert inputs_of(group).problem == ""


def test_project_names_every_secret_and_authority() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    files = texts(found("RawProxyRepository", **PROXY, **LOGIN), user("alice"), ca=pem, username="op")
    config = yaml.safe_load(files["Pulumi.yaml"])["config"]
    assert config["nexus-registry:url"] == {"value": SERVER["url"]}
    assert config["nexus-registry:ca"] == {"value": pem}
    assert config["nexus-registry:username"] == {"value": "op"}
    assert config["nexus-registry:adopt"] == {"value": True}
    assert config["p_repository_authentication_password"]["secret"] is True
    assert "pulumi config set --secret p_repository_authentication_password\n" in files["README.md"]
    assert "- `alice_user_password`: password of User 'alice'\n" in files["README.md"]
    assert Played(files).asked == {"p_repository_authentication_password", "alice_user_password"}


def test_program_is_as_ruff_formats_and_sorts_it(tmp_path: Path) -> None:
    objects = [found("Role", role_id=f"r{one}", description=text) for one, text in enumerate(ODD_TEXTS)]
    rules = [found("RoutingRule", name="r", matchers=[text for text in ODD_TEXTS if "\n" not in text and text])]
    for name, text in texts(*objects, *rules, user("alice", *(f"r{one}" for one in range(9)))).items():
        (tmp_path / name).write_text(text)
    run = [sys.executable, "-m", "ruff"]
    for command in (
        ["format", "--diff"],
        ["format", "--diff", "--line-length=115"],
        ["check", "--select=E,F,W,I,UP,B,C4,SIM,PIE,RUF", "--line-length=115"],
    ):
        line = [*run, *command, "--isolated", "."]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


ODD_TEXTS = [
    "",
    "both ' and \"",
    'mostly """ quotes \' here',
    "it's",
    "back\\slash",
    "two\nlines\n",
    "a line that ends in blanks  \nand another",
    "tab\there",
    "word " * 60,
    *("word " * count + "x" * more for count in (13, 17) for more in range(0, 25, 3)),
    "x" * 200,
    'a "quoted" word ' * 20,
    "first\n" + "long " * 40 + "\nlast",
    "-----BEGIN X-----\nAAAA\nBBBB\n-----END X-----\n",
]
