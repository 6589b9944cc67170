"""The login of a mirror reaches it, and is in no command line and no message."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps_shell import SHELLS, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME, PASSWORD = 'bob \\ "x"', "p%w:'$HOME\\é\""


class Mirror(BaseHTTPRequestHandler):
    """Serves a file to each request with the login."""

    def do_GET(self) -> None:
        login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {login}":
            self.send_error(401)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"archive")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the server gives
        pass


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/nexus[1].tar.gz"
    server.shutdown()


@pytest.mark.parametrize("name", SHELLS)
def test_login_reaches_mirror_by_standard_input(mirror: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "curl").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\nexec /usr/bin/curl "$@"\n')
    (tmp_path / "curl").chmod(0o755)
    body = f"PATH={tmp_path}:$PATH; arg_path= arg_url={mirror} work={tmp_path} temp_dir={tmp_path}"
    body += " arg_install_root=/; "
    secrets = {"ARCHIVE_USERNAME": USERNAME, "ARCHIVE_PASSWORD": PASSWORD}
    said = run(SHELLS[name], f"{body} fetch_archive", "archive", secrets)
    assert (tmp_path / "archive.tar.gz").read_bytes() == b"archive", said
    said += run(SHELLS[name], f"{body} fetch_archive", "archive", {**secrets, "ARCHIVE_PASSWORD": f"{PASSWORD}\n"})
    assert "401" not in said
    shown = said + (tmp_path / "arguments").read_text()
    assert "bob" not in shown
    assert "HOME" not in shown
    wrong = run(SHELLS[name], f"{body} fetch_archive", "archive", {**secrets, "ARCHIVE_PASSWORD": "n0"})
    assert "401" in wrong
    assert "n0" not in wrong


@pytest.mark.parametrize("argument", ["ARCHIVE_USERNAME", "ARCHIVE_PASSWORD"])
def test_login_of_two_lines_is_refused(shell: list[str], tmp_path: Path, argument: str) -> None:
    """curl takes a second line for an option, and its warning shows the line."""
    secrets = {"ARCHIVE_USERNAME": "bob", "ARCHIVE_PASSWORD": "pw", argument: "first\ns3cret"}
    body = f"arg_path= arg_url=file:///etc/hostname work={tmp_path} temp_dir={tmp_path} arg_install_root=/"
    said = run(shell, f"{body}; fetch_archive", "archive", secrets)
    assert said == f"{argument.lower()}: must be one line.\n"


def test_url_with_login_is_refused_without_showing_it(shell: list[str]) -> None:
    said = run(shell, "arg_path= arg_url=https://bob:pw@mirror/n.tar.gz; fetch_archive", "archive")
    assert said.startswith("archive_url: contains a login. Give it as archive_username and archive_password")
    assert "pw" not in said.replace("archive_password", "")
    path = "arg_path= arg_url=file:///none/a@b.tar.gz work=/tmp temp_dir=/none; fetch_archive"
    assert "contains a login" not in run(shell, path, "archive")


def test_messages_leave_out_query_of_signed_url(shell: list[str]) -> None:
    url = "arg_path= arg_url='https://127.0.0.1:1/n.tar.gz?X-Signature=s3cret' work=/tmp temp_dir=/none"
    said = run(
        shell,
        f'{url}\nrun_with_progress() {{ return 1; }}\nfail_download() {{ fail "$1"; }}\nfetch_archive',
        "archive",
    )
    assert "https://127.0.0.1:1/n.tar.gz could not be downloaded" in said
    assert "s3cret" not in said
