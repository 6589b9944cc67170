"""``nexus-registry doctor URL``: its command line, output and exit status, and the page of its codes."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from nexus_registry.cli.main import main

from sandbox.paths import PROJECT

from .doctor import NOW, Registry, authority, context
from .fake import serve
from .test_doctor_clients import CLIENT_FILES
from .test_doctor_registry import WRONG
from .test_doctor_tls import CERTIFICATES, UNREACHED


@pytest.mark.parametrize(("days", "status"), [("5", 0), ("20", 1)])
def test_expires_within_says_when_certificate_is_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], days: str, status: int
) -> None:
    monkeypatch.delenv("NEXUS_USERNAME", raising=False)
    (tmp_path / "ca.pem").write_text(authority().certificate_pem)
    issued = authority().issue(["127.0.0.1"], key="ec", not_before=NOW, not_after=NOW + dt.timedelta(10))
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        registry.url = fake.url
        line = ["doctor", fake.url, "--ca", str(tmp_path / "ca.pem"), "--expires-within", days]
        assert main(line) == status
    shown = capsys.readouterr()
    assert ("certificate-expires" in shown.out) is bool(status)
    assert shown.err == ""


PROMISED = """
anonymous-pull certificate-expired certificate-expires certificate-name certificate-not-yet-valid
certificate-untrusted challenge-address components-limit components-near-limit containerd-ca
containerd-config-path containerd-hosts containerd-skip-verify delete docker-ca licence login login-error
login-limited name nexus nexus-login nexus-silent no-anonymous-pull no-registry no-tls port-closed
port-silent proxy pull push quota read-only realm registry-error registry-silent requests-limit
requests-near-limit space upgrade-limit version
"""
"""Monitoring compares these: a code is never renamed or removed."""


def test_page_lists_codes_that_tests_cause() -> None:
    caused = {"proxy", *WRONG, *UNREACHED}.union(
        *(one[0] for one in CERTIFICATES), *(one[2] for one in CLIENT_FILES)
    )
    assert set(PROMISED.split()) <= caused
    page = (PROJECT / "docs/how-to/monitoring.md").read_text().partition("## Codes")[2]
    assert set(re.findall(r"`([a-z-]+)`(?=[^|]*\|[^|]+\|\n)", page)) == caused
    source = "".join(
        (PROJECT / f"cli/{part}.py").read_text() for part in ("registry", "transport", "usage", "clients")
    )
    assert set(re.findall(r'(?:Finding\(|\d: \()\s*"([a-z-]+)"', source)) <= caused


def test_command_prints_findings_and_ends_with_their_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_USERNAME", "ci")
    monkeypatch.setenv("NEXUS_PASSWORD", "canary-4711")
    with serve(registry := Registry()) as fake:
        registry.url = fake.url
        assert main(["doctor", fake.url]) == 0
        registry.anonymous = True
        assert main(["doctor", fake.url, "--anonymous-pull", "no", "--json"]) == 1
    *_, printed = capsys.readouterr().out.splitlines()
    assert [one["code"] for one in json.loads(printed)] == ["anonymous-pull"]
    assert "canary" not in printed


def test_login_without_password_is_not_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since Nexus 3.93, a few wrong passwords lock the account."""
    monkeypatch.setenv("NEXUS_USERNAME", "ci")
    monkeypatch.delenv("NEXUS_PASSWORD", raising=False)
    with serve(registry := Registry()) as fake:
        registry.url = fake.url
        assert main(["doctor", fake.url]) == 2
        assert fake.requests == []
    assert capsys.readouterr().err == "NEXUS_PASSWORD: is not set. Set it to the password of 'ci'.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["doctor"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "registry:5000"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://registry:99999"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://registry..example.com"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", f"https://{'a' * 64}.com"], "URL: must be https://HOST:PORT"),
        (["doctor", "https://ci:canary-4711@a"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://ci:canary-4711@a:99999"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://a", "--nexus", "https://ci:canary-4711@a"], "--nexus: must be https://HOST:PORT"),
        (["doctor", "https://a", "--host"], "--host: can't be combined with URL or --json. Leave them out"),
        (["doctor", "--host", "--json"], "--host: can't be combined with URL or --json"),
        (["doctor", "https://a", "--push", "x"], "NEXUS_USERNAME: is not set"),
        (["doctor", "https://a", "--ca", "/none"], "No such file"),
        (["doctor", "https://a", "--ca", str(PROJECT / "README.md")], "README.md must be a certificate in PEM"),
    ],
)
def test_command_that_cannot_run_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.delenv("NEXUS_USERNAME", raising=False)
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "canary" not in shown
