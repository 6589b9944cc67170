"""``nexus-registry doctor URL``: each finding of a registry and of Nexus, caused by a server wrong in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .doctor import Registry, blob_store, codes
from .fake import Response, serve

QUOTA = "/service/rest/v1/blobstores/default/quota-status"


WRONG: dict[str, Callable[[Registry], object]] = {
    "registry-error": lambda one: one.changed.update({"/v2/": Response(502)}),
    "no-registry": lambda one: one.changed.update({"/v2/": Response(200, "<html>")}),
    "challenge-address": lambda one: one.changed.update(
        {"/v2/": Response(401, headers={"WWW-Authenticate": 'Bearer realm="http://inner:5000/v2/token"'})}
    ),
    "anonymous-pull": lambda one: setattr(one, "anonymous", True),
    "no-anonymous-pull": lambda one: setattr(one, "expected_pull", True),
    "login": lambda one: one.changed.update({"/v2/token": Response(401)}),
    "login-limited": lambda one: one.changed.update({"/v2/token": Response(429)}),
    "login-error": lambda one: one.changed.update({"/v2/token": Response(403)}),
    "registry-silent": lambda one: one.changed.update({"/v2/token": Response(drop=True)}),
    "push": lambda one: one.changed.update({"/v2/team/doctor/blobs/uploads/": Response(401)}),
    "pull": lambda one: one.changed.update({"GET /v2/team/doctor/manifests": Response(500)}),
    "delete": lambda one: one.changed.update({"DELETE /v2/team/doctor/manifests": Response(403)}),
    "read-only": lambda one: one.changed.update({"/service/rest/v1/status/writable": Response(503)}),
    "version": lambda one: one.changed.update(
        {"/service/rest/v1/system/node": Response(body={}, headers={"Server": "Nexus/3.96.0-01 (COMMUNITY)"})}
    ),
    "licence": lambda one: one.changed.update(
        {"/service/rest/v1/system/eula": Response(body={"accepted": False})}
    ),
    "components-limit": lambda one: one.use("3.87.0-01", components=40_001),
    "components-near-limit": lambda one: one.use("3.77.0-01", components=80_000),
    "requests-limit": lambda one: one.use("3.86.0-01", requests=200_001),
    "requests-near-limit": lambda one: one.use("3.87.0-01", requests=80_000),
    "upgrade-limit": lambda one: one.use("3.86.0-01", components=40_001),
    "realm": lambda one: one.changed.update({"/service/rest/v1/security/realms/active": Response(body=[])}),
    "nexus-login": lambda one: one.changed.update({"/service/rest/v1/security/realms/active": Response(401)}),
    "nexus": lambda one: one.changed.update({"/service/rest/v1/blobstores": Response(body={"odd": 1})}),
    "nexus-silent": lambda one: one.changed.update({"/service/rest/v1/status/writable": Response(drop=True)}),
    "space": lambda one: one.changed.update(
        {"/service/rest/v1/blobstores": Response(body=[blob_store(availableSpaceInBytes=1 << 20)])}
    ),
    "quota": lambda one: one.changed.update(
        {
            "/service/rest/v1/blobstores": Response(
                body=[blob_store(softQuota={"type": "spaceUsedQuota", "limit": 1})]
            ),
            QUOTA: Response(body={"isViolation": True, "message": "over its quota"}),
        }
    ),
}


def test_registry_that_works_has_no_finding() -> None:
    with serve(registry := Registry()) as fake:
        assert codes(fake, registry) == []


@pytest.mark.parametrize("code", WRONG)
def test_each_fault_of_registry_and_nexus_has_its_code(code: str) -> None:
    registry = Registry()
    WRONG[code](registry)
    with serve(registry) as fake:
        assert code in codes(fake, registry)


@pytest.mark.parametrize("anonymous_pull", [None, False])
@pytest.mark.parametrize("answer", [Response(200, "<html>"), Response(200, {"odd": 1})])
def test_token_that_cannot_be_read_is_finding(anonymous_pull: bool | None, answer: Response) -> None:
    with serve(registry := Registry()) as fake:
        registry.changed = {"/v2/token": answer, "/service/rest/v1/security/realms/active": Response(body=[])}
        code = "login-error" if anonymous_pull is None else "registry-error"
        assert codes(fake, registry, anonymous_pull=anonymous_pull) == [code, "realm"]


@pytest.mark.parametrize("desired", [True, False])
def test_failed_pull_without_login_says_nothing_about_rights(desired: bool) -> None:
    with serve(registry := Registry()) as fake:
        registry.changed["/v2/nexus-registry-proof/manifests/latest"] = Response(503)
        assert codes(fake, registry, anonymous_pull=desired) == ["registry-error"]


def test_upload_response_without_location_is_finding() -> None:
    registry = Registry()
    registry.changed["/v2/team/doctor/blobs/uploads/"] = Response(202)
    with serve(registry) as fake:
        assert codes(fake, registry) == ["push"]


@pytest.mark.parametrize("place", ["", "http://[::1"])
def test_upload_is_not_sent_to_another_address(place: str) -> None:
    """As behind a proxy that does not pass on X-Forwarded-Proto; the request would contain the login."""
    registry = Registry()
    with serve(lambda _: Response(201)) as other, serve(registry) as fake:
        registry.changed["/v2/team/doctor/blobs/uploads/"] = Response(
            202, headers={"Location": place or f"{other.url}/up"}
        )
        assert codes(fake, registry) == ["challenge-address"]
        assert other.methods() == []


@pytest.mark.parametrize(
    ("version", "given"),
    [
        ("3.87.0-01", {"components": 31_999, "requests": 79_999}),
        ("3.76.1-01", {"components": 200_000, "edition": "OSS"}),
        ("3.87.0-01", {"components": 200_000, "edition": "PRO"}),
    ],
)
def test_usage_within_limits_is_no_finding(version: str, given: dict[str, Any]) -> None:
    registry = Registry()
    registry.use(version, **given)
    with serve(registry) as fake:
        assert codes(fake, registry) == []
        registry.changed["/service/rest/metrics/data"] = Response(404)
        assert codes(fake, registry) == []
        registry.changed["/service/rest/metrics/data"] = Response(body={"gauges": {}})
        assert codes(fake, registry) == []
