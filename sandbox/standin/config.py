"""The settings of the server: ``nexus.properties`` and the Jetty files that ``nexus-args`` names."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import javaproperties

SCANNER = "org.eclipse.jetty.util.ssl.KeyStoreScanner"
JETTY_12 = (3, 86)
"""The first version that was seen with Jetty 12; which was the first to have it is not known."""


class CannotStart(Exception):
    """The settings are such that Jetty would not start; the message is what its log would say."""


@dataclass(frozen=True)
class Tls:
    """The ``sslContextFactory`` of a Jetty file, and how often a keystore scanner looks (0: there is none)."""

    keystore: Path
    password: str
    key_password: str
    truststore: Path
    trust_password: str
    protocols: tuple[str, ...]
    scan_interval: int = 0


@dataclass(frozen=True)
class Settings:
    """Where the front listens, and with what. A port is None where no Jetty file has that connector."""

    home: Path
    data: Path
    host: str
    http_port: int | None
    https_port: int | None
    context: str
    """The context path without a slash at its end: empty for the root."""
    tls: Tls | None
    core_args: str
    """The Jetty files for Core behind the front: the same but for the connectors."""

    @property
    def switches(self) -> dict[str, Any]:
        """``etc/standin.json`` in the data dir, as it is at this moment."""
        return _switches(self.data)

    @property
    def server(self) -> str:
        """The value of the ``Server`` header where another version is played, else empty."""
        version = self.switches.get("play_version")
        return f"Nexus/{version} (COMMUNITY)" if version else ""

    @property
    def has_eula(self) -> bool:
        """Whether this version asks for its licence to be accepted: Community Edition, 3.77 and newer."""
        return _plays(self.switches, 3, 77)

    @property
    def has_paths(self) -> bool:
        """Whether this version can tell docker repositories by their names in the path."""
        return _plays(self.switches, 3, 83)

    @property
    def formats(self) -> str:
        """The version whose repositories are played."""
        return str(self.switches.get("play_version") or "3.71")

    @property
    def verifies_directories(self) -> bool:
        """Whether this version can be asked to verify an LDAP server."""
        return _plays(self.switches, 3, 92)

    @property
    def limits_logins(self) -> bool:
        """Whether wrong passwords shut an account of this version."""
        return _plays(self.switches, 3, 93)


def load(home: Path, data: Path) -> Settings:
    """Read the settings of an installation and its data dir. Raises ``CannotStart``."""
    properties = _properties(home, data)
    args = [part.strip() for part in properties["nexus-args"].split(",") if part.strip()]
    jetty_12 = _plays(_switches(data), *JETTY_12)
    files = {arg: _parse(Path(arg.removeprefix("file:")), properties, jetty_12) for arg in args}
    http = any(_bean(file, "httpConnector") is not None for file in files.values())
    https = [file for file in files.values() if _bean(file, "httpsConnector") is not None]
    core = [arg for arg, file in files.items() if _bean(file, "httpConnector") is None and file not in https]
    context = properties["nexus-context-path"].strip("/")
    return Settings(
        home=home,
        data=data,
        host=properties["application-host"],
        http_port=_port(properties, "application-port") if http else None,
        https_port=_port(properties, "application-port-ssl") if https else None,
        context=f"/{context}" if context else "",
        tls=_tls(https[0], files.values()) if https else None,
        core_args=",".join([*core, f"{home}/etc/jetty/jetty-http.xml"]),
    )


def _properties(home: Path, data: Path) -> Mapping[str, str]:
    """The effective properties: the defaults, the data dir's own, and -D options for keys that are there."""
    found: dict[str, str] = {}
    for file in (home / "etc/nexus-default.properties", data / "etc/nexus.properties"):
        if file.exists():
            with file.open(encoding="latin-1") as lines:
                found.update(javaproperties.load(lines))
    paths = {"karaf.home": str(home), "karaf.base": str(home), "karaf.data": str(data)}
    paths |= {"jetty.etc": f"{home}/etc/jetty", "logback.etc": f"{home}/etc/logback"}
    found = {"ssl.etc": f"{home}/etc/ssl"} | found | paths
    options = f"{os.environ.get('KARAF_OPTS', '')} {os.environ.get('_JAVA_OPTIONS', '')}"
    for option in shlex.split(options):
        key, equals, value = option.removeprefix("-D").partition("=")
        if option.startswith("-D") and equals and key in found and key not in paths:
            found[key] = value
    environment = {f"env.{key}": value for key, value in os.environ.items()}

    def resolve(value: str, depth: int = 0) -> str:
        def one(match: re.Match[str]) -> str:
            known = found.get(match[1], environment.get(match[1]))
            return match[0] if known is None or depth > 20 else resolve(known, depth + 1)

        return re.sub(r"\$\{([^}]+)}", one, value)

    return {key: resolve(value) for key, value in found.items()}


def _port(properties: Mapping[str, str], key: str) -> int:
    try:
        return int(properties[key])
    except (KeyError, ValueError):
        raise CannotStart(f"java.lang.NumberFormatException: {key}={properties.get(key)}") from None


def _parse(path: Path, properties: Mapping[str, str], jetty_12: bool) -> ElementTree.Element:
    """A Jetty file, with the values of properties and variables put in as text; and paths, where Jetty is 12."""
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - the installation's own files
    except FileNotFoundError:
        raise CannotStart(f"java.io.FileNotFoundException: {path} (No such file or directory)") from None
    except ElementTree.ParseError as error:
        raise CannotStart(f"org.xml.sax.SAXParseException: {path}: {error}") from None
    for parent in root.iter():
        for child in parent:
            values = os.environ if child.tag == "Env" else properties
            if child.tag in ("Property", "SystemProperty", "Env"):
                child.text = values.get(child.get("name", ""), child.get("default", ""))
            elif (key := child.get("property")) is not None:
                child.text = properties.get(key, child.get("default", ""))
    for call in root.findall(".//Call[@name='resolvePath']"):
        if not jetty_12:
            raise CannotStart(
                "java.lang.NoSuchMethodException: org.eclipse.jetty.xml.XmlConfiguration.resolvePath"
            )
        call.text = str(Path(*("".join(arg.itertext()).strip() for arg in call)))
        del call[:]
    return root


def _bean(file: ElementTree.Element, bean: str) -> ElementTree.Element | None:
    return file.find(f".//New[@id='{bean}']")


def _tls(file: ElementTree.Element, files: Iterable[ElementTree.Element]) -> Tls:
    factory = _bean(file, "sslContextFactory")
    if factory is None:
        raise CannotStart("java.lang.IllegalStateException: No object for id=sslContextFactory")
    password = _set(factory, "KeyStorePassword")
    keystore = Path(_set(factory, "KeyStorePath"))
    protocols = factory.findall("./Set[@name='IncludeProtocols']//Item")
    scanners = [new for each in files for new in each.iterfind(f".//New[@class='{SCANNER}']")]
    return Tls(
        keystore=keystore,
        password=password,
        key_password=_set(factory, "KeyManagerPassword") or password,
        truststore=Path(_set(factory, "TrustStorePath") or keystore),
        trust_password=_set(factory, "TrustStorePassword") or password,
        protocols=tuple("".join(item.itertext()).strip() for item in protocols) or ("TLSv1.2", "TLSv1.3"),
        scan_interval=int(_set(scanners[0], "scanInterval") or 1) if scanners else 0,
    )


def _set(bean: ElementTree.Element, name: str) -> str:
    """The text of a ``<Set>``, compared without regard to the first letter's case as Jetty does."""
    for element in bean.iterfind("./Set"):
        if element.get("name", "").lower() == name.lower():
            return "".join(element.itertext()).strip()
    return ""


def _switches(data: Path) -> dict[str, Any]:
    file = data / "etc/standin.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _plays(switches: Mapping[str, Any], *since: int) -> bool:
    """Whether the version that is played is this one or a newer one."""
    numbers = re.findall(r"\d+", switches.get("play_version", ""))
    return tuple(int(part) for part in numbers[:2]) >= since
