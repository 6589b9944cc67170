"""What the host steps refuse in an argument by its text alone, so that a preview can refuse it too.

Each function yields ``(argument, problem)``. The rules and messages are those of ``check_word`` and ``check_path``
in lib.sh, of ``check_places`` in paths.sh, which also resolves links, and of ``check_arguments`` in service.sh;
tests/unit/test_arguments.py holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_SYSTEM: Final = """
/bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin
/usr/lib /usr/local /usr/sbin /usr/share /var /var/cache /var/lib /var/log /var/tmp
"""
SYSTEM_DIRECTORIES: Final = frozenset(_SYSTEM.split())
MANAGED_PROPERTIES: Final = {
    "application-host": "address",
    "application-port": "http_port",
    "application-port-ssl": "https_port",
    "nexus-context-path": "context_path",
    "nexus-args": "",
    "ssl.etc": "",
}
"""Keys of nexus.properties that the service step sets, each with the argument for it."""

_UNUSABLE: Final = {
    ("/tmp", "/var/tmp"): "the service has a /tmp and /var/tmp of its own, and the host empties them",  # noqa: S108
    ("/run",): "the host empties /run at every boot",
    ("/dev", "/proc", "/sys"): "which is no file system for data",
}


def word_problems(name: str, value: str) -> Iterator[tuple[str, str]]:
    """What is no name of a unit, user or group."""
    if not re.fullmatch(r"[A-Za-z0-9_@][A-Za-z0-9._@-]*", value):
        yield (
            name,
            f"{value!r} may hold only letters, digits and . _ @ -, and must not begin with . or -. "
            f"Choose another {name}.",
        )
    elif name == "unit" and (value[0] == "@" or value[-1] == "@"):
        yield name, f"{value!r} is a template without an instance. Give a name such as nexus@main."


def path_problems(name: str, value: str) -> Iterator[tuple[str, str]]:
    """What is no plain absolute path of a directory that only Nexus uses."""
    if not value.startswith("/"):
        yield name, f"{value!r} is not an absolute path. Give one that begins with /."
    elif not re.fullmatch(r"[A-Za-z0-9/._+-]+", value):
        yield name, f"{value!r} may hold only letters, digits and / . _ + -. Choose another directory."
    elif {"", ".", ".."} & set(value[1:].split("/")):
        yield name, f"{value!r} has an empty part, '.' or '..' in it, or ends in /. Give the plain path."
    elif value in SYSTEM_DIRECTORIES:
        yield name, f"{value} belongs to the system. Choose a directory that only Nexus uses."
    elif f"{value}/".startswith("/var/lib/nexus-registry/"):
        yield name, f"{value} is for the records of the steps. Choose another directory, such as /var/lib/nexus."


def place_problems(install_root: str, data_dir: str, java_home: str | None = None) -> Iterator[tuple[str, str]]:
    """Directories that the service can't use, or that contain each other."""
    places = {"install_root": install_root, "data_dir": data_dir}
    if java_home is not None:
        places["java_home"] = java_home
    wrong = [problem for name, path in places.items() for problem in path_problems(name, path)]
    wrong = wrong or [problem for name, path in places.items() for problem in _unusable(name, path)]
    yield from wrong
    if wrong:
        return
    if _is_within(install_root, data_dir):
        yield (
            "install_root",
            f"{install_root} lies in data_dir {data_dir}, whose owner could change the program. "
            "Choose an install_root outside of data_dir.",
        )
    elif java_home is not None and _is_within(java_home, data_dir):
        yield (
            "java_home",
            f"{java_home} lies in data_dir {data_dir}, whose owner could change it. "
            "Choose a Java outside of data_dir.",
        )
    elif re.match(rf"{re.escape(install_root)}/nexus(-[0-9]|/)", f"{data_dir}/"):
        yield (
            "data_dir",
            f"{data_dir} lies in the program of one version, which the next version removes. "
            f"Choose a data_dir outside of {install_root}/nexus and {install_root}/nexus-<version>.",
        )


def context_path_problems(value: str) -> Iterator[tuple[str, str]]:
    """What can't be the path under which Nexus answers."""
    if value != "/" and not re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+", value):
        yield (
            "context_path",
            "must be a path such as /nexus, without / at its end and without . and .. as parts, of letters, "
            f"digits and / . _ -, not {value!r}.",
        )


def address_problems(value: str) -> Iterator[tuple[str, str]]:
    """What is no IP address in any form."""
    if not re.fullmatch(r"[0-9A-Za-z.:-]+", value):
        yield "address", f"{value!r} is no IP address. Give one of the host's, or 0.0.0.0 for all."


def properties_problems(properties: Mapping[str, str], data_dir: str) -> Iterator[tuple[str, str]]:
    """Lines that nexus.properties can't hold, that another argument sets, or that contain a secret."""
    for key, value in properties.items():
        if not re.fullmatch(r"[A-Za-z0-9._-]+", key):
            yield "properties", f"the key {key!r} may contain only letters, digits and . _ -."
        elif key in MANAGED_PROPERTIES:
            instead = MANAGED_PROPERTIES[key]
            yield "properties", f"{key} is managed. {f'Set {instead} instead' if instead else 'Leave it out'}."
        elif not re.fullmatch(r"[ -~]*", value):
            yield "properties", f"the value of {key} is not printable ASCII. Write other characters as \\uXXXX."
        elif secret := _secret(key, value):
            file, form = "nexus.properties", ""
            if key.startswith("nexus.datastore."):
                file, form = "fabric/nexus-store.properties", " (as jdbcUrl, username and password)"
            yield (
                "properties",
                f"{key} {secret}, which would be in command lines and, not encrypted, in the state. "
                f"Write it into {data_dir}/etc/{file}{form} on the host and leave it out here.",
            )


def _secret(key: str, value: str) -> str:
    """What is secret in a line of nexus.properties; empty where nothing is."""
    if re.search("password=", value, re.IGNORECASE):
        return "contains a password"
    # nexus.secrets.file is a path, nexus.security.randompassword is true or false.
    is_setting = key.endswith(".file") or value in ("true", "false")
    is_named = re.search(r"password|passphrase|secret", key, re.IGNORECASE)
    return "is a secret" if is_named and not is_setting else ""


def _unusable(name: str, path: str) -> Iterator[tuple[str, str]]:
    for folders, why in _UNUSABLE.items():
        if any(_is_within(path, folder) for folder in folders):
            yield name, f"{path}: {why}. Choose another directory."


def _is_within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")
