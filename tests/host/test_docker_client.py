"""The Docker client against Debian's own registry: real TLS, real logins, real pushes and pulls."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from sandbox.process import Process
from sandbox.shell import CommandFailed
from tests.contract.upstream import HTPASSWD, registry

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.docker import DockerClient
    from sandbox.pki import Authority


@pytest.mark.parametrize("intermediate", [False, True], ids=["signed by the authority", "by an intermediate"])
def test_image_is_pushed_and_pulled_by_digest(
    client: DockerClient, authority: Authority, tmp_path: Path, intermediate: bool
) -> None:
    issued = authority.issue(["localhost"], key="ec", intermediate=intermediate)
    with registry(tmp_path, issued) as address:
        client.trust(address, authority.certificate_pem)
        made = client.make_image(f"{address}/hello:1")
        pushed = client.docker("push", f"{address}/hello:1").stdout
        digest = re.search(r"digest: (sha256:\w{64})", pushed)
        assert digest, pushed
        client.empty_cache()
        assert client.docker("image", "ls", "--quiet").stdout == ""
        client.docker("pull", f"{address}/hello@{digest[1]}")
        kept = client.docker("image", "inspect", "--format", "{{.Id}}", f"{address}/hello@{digest[1]}")
        assert kept.stdout.strip() == made


def test_certificates_that_must_not_be_trusted_are_refused(
    client: DockerClient, authority: Authority, tmp_path: Path
) -> None:
    now, day = dt.datetime.now(dt.timezone.utc), dt.timedelta(days=1)
    cases = {
        "signed by unknown authority": (authority.issue(["localhost"]), False),
        "is after": (authority.issue(["localhost"], not_before=now - 9 * day, not_after=now - day), True),
        "is before": (authority.issue(["localhost"], not_before=now + day), True),
        "valid for elsewhere.test, not localhost": (authority.issue(["elsewhere.test"]), True),
    }
    for number, (words, (issued, trusted)) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with registry(folder, issued) as address:
            if trusted:
                client.trust(address, authority.certificate_pem)
            with pytest.raises(CommandFailed, match=words):
                client.docker("pull", f"{address}/hello:1")


def test_registry_check_tries_wrong_password_once(
    client: DockerClient, authority: Authority, tmp_path: Path
) -> None:
    with registry(tmp_path, authority.issue(["localhost"]), logins=HTPASSWD) as address:
        client.trust(address, authority.certificate_pem)
        client.make_image(f"{address}/hello:1")
        with pytest.raises(CommandFailed, match="no basic auth credentials"):
            client.docker("push", f"{address}/hello:1")
        with pytest.raises(CommandFailed, match="401 Unauthorized"):
            client.login(address, "ann", "wrong")
        assert (tmp_path / "log").read_text().count("error authenticating user") == 1
        as_ann = client.login(address, "ann", "correct horse")
        client.docker("push", f"{address}/hello:1", config=as_ann)


def test_stopped_client_restarts_clean(client: DockerClient) -> None:
    client.make_image("kept:1")
    client.start()
    assert "kept" in client.docker("image", "ls").stdout, "start is not idempotent"
    process = Process.recorded(client.folder / "process")
    assert process is not None
    client.stop()
    assert not process.alive
    assert not client.folder.exists()
    client.start()
    assert client.docker("image", "ls", "--quiet").stdout == ""
