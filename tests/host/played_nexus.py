#!/usr/bin/python3
"""A Nexus that is played on a sandbox host: it starts within a second, and is strict about its data.

It is packed as ``nexus-<version>/bin/nexus``. It keeps everything in one database file, which it locks, and moves
to its own version in two halves; a database of a newer version, or one left between the halves, ends it.
"""

from __future__ import annotations

import base64
import fcntl
import html
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = Path(__file__).resolve().parent.parent.name.removeprefix("nexus-")
OPTIONS = dict(re.findall(r"-D(\S+?)=(\S+)", os.environ.get("_JAVA_OPTIONS", "")))
DATA = Path(OPTIONS.get("karaf.data", "/nonexistent"))


def log(text: str) -> None:
    with (DATA / "log/nexus.log").open("a") as file:
        file.write(f"{text}\n")


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.split(r"[.-]", version)]


class Database:
    """One file: who runs it, the administrator's password, and what people stored."""

    def __init__(self) -> None:
        path = DATA / "db/nexus.mv.db"
        path.parent.mkdir(exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("the database is locked by another process")
        self.content: dict[str, str] = json.loads(self._file.read() or "{}")
        if not self.content:
            left = DATA / "admin.password"
            first = os.environ.get("NEXUS_SECURITY_INITIAL_PASSWORD") or left.read_text()
            self.content = {"version": VERSION, "password": first, "kept": ""}
        elif self.content["version"] == "half" or numbers(self.content["version"]) > numbers(VERSION):
            sys.exit(f"the database is of {self.content['version']}")
        elif self.content["version"] != VERSION:
            self.set(version="half")
            time.sleep(0.3)
        self.set(version=VERSION)

    def set(self, **values: str) -> None:
        self.content |= values
        self._file.seek(0)
        self._file.write(json.dumps(self.content).ljust(1000))
        self._file.flush()


class Handler(BaseHTTPRequestHandler):
    database: Database
    context = ""

    def do_GET(self) -> None:
        if self.path == f"{self.context}/service/rest/v1/status/writable":
            self._answer(200)
        elif self._admitted():
            self._answer(200, self.database.content["kept"])

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._admitted():
            self.database.set(**{"password" if self.path.endswith("/change-password") else "kept": body})
            self._answer(204)

    def _admitted(self) -> bool:
        if not self.path.startswith(f"{self.context}/"):
            self._answer(404)
            return False
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        admitted = given == f"admin:{self.database.content['password']}"
        if not admitted:
            self._answer(401)
        return admitted

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Secure(ThreadingHTTPServer):
    """HTTPS with the keystore that the derived XML names, read again whenever it is another file."""

    _seen: tuple[int, int] = (0, 0)
    _context: ssl.SSLContext

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        connection.settimeout(10)
        return self._current().wrap_socket(connection, server_side=True), address

    def _current(self) -> ssl.SSLContext:
        xml = (DATA / "etc/jetty/jetty-https.xml").read_text()
        settings = dict(re.findall(r'<Set name="(KeyStorePath|KeyStorePassword)">(.*?)</Set>', xml))
        keystore = Path(settings["KeyStorePath"])
        if (seen := (keystore.stat().st_ino, keystore.stat().st_mtime_ns)) != self._seen:
            pem = DATA / "tmp/played.pem"
            password = html.unescape(settings["KeyStorePassword"])
            command = ["openssl", "pkcs12", "-in", str(keystore), "-passin", "env:PW", "-nodes", "-out", str(pem)]
            subprocess.run(command, env={**os.environ, "PW": password}, check=True)
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pem)
            pem.unlink()
            self._seen = seen
        return self._context


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    Handler.database = Database()
    time.sleep(0.5)
    text = (DATA / "etc/nexus.properties").read_text()
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    Handler.context = settings["nexus-context-path"].rstrip("/")
    plain, secure = (
        kind((settings["application-host"], int(settings[port])), Handler)
        for kind, port in ((ThreadingHTTPServer, "application-port"), (Secure, "application-port-ssl"))
    )
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    log(f"Started Sonatype Nexus OSS {VERSION}")
    plain.serve_forever()


if __name__ == "__main__":
    main()
