"""Each kind that no real server here has, from creation to deletion, on a server that follows the description."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers import lists
from nexus_registry.providers.client import Connection, client_for
from nexus_registry.providers.errors import NotFound, OutcomeUnknown, Refused

from tests.contract.tracked import Tracked, over_the_wire

from .described import BLIND, INSERTED_FIRST, KINDS, SINGLETONS
from .fake import FakeServer, Request, Response
from .settings_server import SettingsServer

every_kind = pytest.mark.parametrize("cls", [getattr(providers, one) for one in KINDS], ids=KINDS)


def writes(server: FakeServer) -> list[str]:
    return [one for one in server.methods() if not one.startswith("GET")]


@pytest.mark.kinds(on="fake")
@every_kind
def test_object_is_created_kept_edited_and_deleted(
    cls: Any, connection: Connection, server: FakeServer, state: SettingsServer
) -> None:
    kind = cls.__name__
    first, edit = KINDS[kind]
    tracked = Tracked(cls.provider_class(), connection)
    assert tracked.up(**first) == "create"
    assert tracked.up(**first) == "same"
    assert tracked.refresh() == "same"
    assert tracked.up(**{**first, **edit}) == "update"
    assert tracked.refresh() == "same"
    assert tracked.up(**{**first, **edit}) == "same"
    if kind != "License":  # one that is installed by hand later is not removed
        Tracked(tracked.provider, connection).up(**first, adopt=True)
        tracked.refresh()
        assert tracked.refresh() == "same", "what was changed by hand is shown once"
    tracked.up(**{**first, **edit})
    sent = len(writes(server))
    again = Tracked(tracked.provider, connection)
    assert again.up(**{**first, **edit}) == "create", "a create that was killed runs again"
    secrets = [name for name in {**first, **edit} if tracked.provider.schema[name].secret]
    refused = 1 if kind in INSERTED_FIRST else 0  # a POST that the server refuses tells that the object exists
    assert len(writes(server)) == sent + refused or secrets or kind in BLIND
    tracked.destroy()
    assert not any((*state.lists.values(), state.blob_stores))
    if kind not in SINGLETONS | BLIND:
        assert again.refresh() == "gone"


def test_address_is_sent_as_server_compares_it(connection: Connection, state: SettingsServer) -> None:
    tracked = Tracked(providers.SsrfProtection.provider_class(), connection)  # type: ignore[arg-type]
    tracked.up(allowed_ips=["FD00::1", "::ffff:10.0.0.1"])
    setting = state.settings["/v1/security/ssrf-protection"]
    assert setting["allowedIPs"] == ["10.0.0.1", "fd00:0:0:0:0:0:0:1"]


@pytest.mark.parametrize("others", [[], ["10.0.0.0/8"]])
@pytest.mark.parametrize("created", [True, False])
def test_address_that_server_has_in_another_form_is_corrected(
    created: bool, others: list[str], connection: Connection, state: SettingsServer
) -> None:
    """An earlier version, or somebody by hand, wrote it."""
    path = "/v1/security/ssrf-protection"
    tracked = Tracked(providers.SsrfProtection.provider_class(), connection)  # type: ignore[arg-type]
    if created:
        tracked.up(allowed_ips=["fd00::1"])
    state.settings[path] = {"enabled": True, "allowedIPs": ["fd00::1", *others], "allowedDomains": []}
    if created:
        assert tracked.refresh() == "drift"
        assert tracked.outs is not None
        assert tracked.outs["allowed_ips"] == others
    assert tracked.up(allowed_ips=["fd00::1"]) == ("update" if created else "create")
    assert state.settings[path]["allowedIPs"] == ["fd00:0:0:0:0:0:0:1"]


@every_kind
def test_create_whose_response_was_lost_makes_one_object(
    cls: Any, connection: Connection, server: FakeServer, state: SettingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of the API takes the same object twice."""
    monkeypatch.setattr("nexus_registry.providers.client.time.sleep", lambda _: None)
    lost: list[Request] = []

    def script(request: Request) -> Response:
        response = state(request)
        if request.method in ("POST", "PUT") and not lost:
            lost.append(request)
            return Response(drop=True)
        return response

    server.script = script
    first, _ = KINDS[cls.__name__]
    tracked = Tracked(cls.provider_class(), connection)
    if cls.__name__ == "IpAllowlist":  # several requests: the next up sends those that are left
        with pytest.raises(OutcomeUnknown):
            tracked.up(**first)
    assert tracked.up(**first) == "create"
    assert tracked.refresh() == "same"
    assert lost
    assert sum(map(len, state.lists.values())) + len(state.blob_stores) <= 1
    assert len(state.entries) == len(first.get("entries", ()))


@every_kind
def test_no_write_uses_what_refresh_has_read(
    cls: Any, connection: Connection, state: SettingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list that a refresh has read stays what it was, as if no write cleared it."""

    def stale(*_: object) -> None:
        raise AssertionError("read from the list")

    monkeypatch.setattr(lists.Lists, "clear", lambda _: None)
    first, edit = KINDS[cls.__name__]
    provider = cls.provider_class()
    provider.read("id", provider.check({}, {"connection": connection, **first}).inputs)
    monkeypatch.setattr(cls.provider_class, "find_in_list", stale)
    tracked = Tracked(provider, connection)
    assert tracked.up(**first) == "create"
    assert tracked.up(**{**first, **edit}) == "update"
    tracked.destroy()
    assert not any((*state.lists.values(), state.blob_stores))


@pytest.mark.parametrize("kind", sorted(SINGLETONS - {"Crowd", "Iq"}))
def test_delete_restores_former_setting(kind: str, connection: Connection, server: FakeServer) -> None:
    first, _ = KINDS[kind]
    provider = getattr(providers, kind).provider_class()
    before = provider.find(client_for(connection), first)
    tracked = Tracked(provider, connection)
    tracked.up(**first)
    tracked.outs = over_the_wire(tracked.outs)
    tracked.destroy()
    assert provider.mismatches(before.properties, provider.find(client_for(connection), first)) == []
    for body in [request.body for request in server.requests if request.body]:
        json.loads(body, parse_float=pytest.fail)


@pytest.mark.parametrize("kind", sorted({*SINGLETONS, "License"}))
def test_deletion_after_refresh_keeps_what_others_set(kind: str, connection: Connection) -> None:
    """``pulumi destroy --refresh`` takes what others set into the state before it deletes."""
    first, edit = KINDS[kind]
    # The server of these tests returns no timeout that was not set.
    theirs = {"use_trust_store_for_url": True} if kind in ("Crowd", "Iq") else edit
    provider = getattr(providers, kind).provider_class()
    tracked = Tracked(provider, connection)
    tracked.up(**first)
    Tracked(provider, connection).up(**{**first, **theirs}, adopt=True)
    found = provider.find(client_for(connection), first).properties
    tracked.refresh()
    tracked.outs = over_the_wire(tracked.outs)
    tracked.destroy()
    assert provider.find(client_for(connection), first).properties == found


@pytest.mark.parametrize("kind", ["Crowd", "Iq"])
def test_delete_disables_setting_with_password(kind: str, connection: Connection, state: SettingsServer) -> None:
    tracked = Tracked(getattr(providers, kind).provider_class(), connection)
    tracked.up(**KINDS[kind][0])
    tracked.destroy()
    assert not state.settings[tracked.provider.setting]["enabled"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("edition", ["COMMUNITY", "PRO"])
@pytest.mark.parametrize("kind", ["UserTokens", "SamlUser", "Crowd"])
def test_kind_that_server_lost_with_its_licence_can_be_deleted(
    kind: str, edition: str, connection: Connection, server: FakeServer, state: SettingsServer
) -> None:
    tracked = Tracked(getattr(providers, kind).provider_class(), connection)
    tracked.up(**KINDS[kind][0])
    done = len(writes(server))

    def script(request: Request) -> Response:
        found = state(request) if request.path.endswith("/v1/status") else Response(404)
        return replace(found, headers={"Server": f"Nexus/3.94.0-12 ({edition})"})

    server.script = script
    with pytest.raises(NotFound) if edition == "PRO" else nullcontext():
        tracked.destroy()
    assert all(one.startswith("DELETE") for one in writes(server)[done:])


@pytest.mark.parametrize(
    ("source", "users", "said"),
    [
        ("LDAP", 0, r"user_id: is not in LDAP\. Create the account there first"),
        ("Ldap", 0, r"source: Ldap is not on the server\. .*LDAP"),
        ("LDAP", 100, r"user_id: is not among the 100 accounts .*Give the roles to a group of LDAP"),
    ],
)
def test_account_that_its_source_lacks_is_refused(
    source: str, users: int, said: str, connection: Connection, server: FakeServer, state: SettingsServer
) -> None:
    """Nexus searches accounts of another source by the beginning of their ids, and returns at most 100."""
    state.settings["/v1/security/user-sources"] = [{"id": "default"}, {"id": "LDAP"}]
    tracked = Tracked(providers.ExternalUser.provider_class(), connection)  # type: ignore[arg-type]
    tracked.up(user_id="ada", source="LDAP", roles=["nx-admin"])
    user = state.settings.pop("/v1/security/users/ada")
    others = [{**user, "userId": f"bob{number}"} for number in range(users)]

    server.script = lambda request: Response(200, others) if "/users?" in request.path else state(request)
    with pytest.raises(Refused, match=said):
        Tracked(tracked.provider, connection).up(user_id="bob", source=source, roles=["nx-admin"])
    if users:
        with pytest.raises(Refused, match="not among"):
            tracked.refresh()
        server.script = lambda request: Response(500) if "/users?" in request.path else state(request)
        with pytest.raises(Refused):
            tracked.destroy()
        server.script = lambda request: Response(200, others) if "/users?" in request.path else state(request)
        tracked.destroy()  # its roles can't be restored
    else:
        assert tracked.refresh() == "gone"


def test_addresses_are_added_first_and_removed_last(connection: Connection, server: FakeServer) -> None:
    first, edit = KINDS["IpAllowlist"]
    tracked = Tracked(providers.IpAllowlist.provider_class(), connection)  # type: ignore[arg-type]
    tracked.up(**first)
    done = len(writes(server))
    tracked.up(**{**first, **edit})
    kinds = [one.rpartition("/")[2] for one in writes(server)[done:]]
    assert kinds[-2:] == ["mode", "bulk"]
    assert len(kinds) == 4


def test_undeclarable_range_is_replaced(connection: Connection, state: SettingsServer) -> None:
    state.entries["7"] = {"id": "7", "entry": "10.1.2.3/8", "description": None}
    tracked = Tracked(providers.IpAllowlist.provider_class(), connection)  # type: ignore[arg-type]
    tracked.up(mode="MONITOR", entries={"10.0.0.0/8": ""})
    assert [one["entry"] for one in state.entries.values()] == ["10.0.0.0/8"]
