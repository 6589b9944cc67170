"""The Nexus archive of the sandbox: the real Nexus Core in the vendor's layout, with the docker-format stand-in.

Sonatype publishes the Core of Nexus (security, blob stores, the raw, maven2 and apt formats) as an ordinary
Maven artifact, ``org.sonatype.nexus.assemblies:nexus-base-template:<version>:zip``. What the vendor's own tarball
has and that zip lacks is added here: its two top folders, ``bin/nexus.vmoptions``, ``bin/nexus.rc`` and a launcher
with the vendor's verbs (``launcher/``). The docker format is closed source; ``docker=True`` adds a stand-in.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import re
import shutil
import stat
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .packages import ensure
from .paths import CACHE
from .shell import locked, progress, run

CORE_SHA256 = {
    "3.71.0-06": "432bb2bf10c4c04dfb36ad87796cfaaf4f747eb9db54e6634bb4576ffe891f17",
    "3.62.0-01": "d9daa6fbed21bea94b56350ae2f0626e087353374c4a7312f949354c650302e4",
    "3.41.1-01": "62b5cfa6dc3100317b49ed775383c1d2663ef6adf98087d4adfba27635aa5422",
    "3.26.0-01": "ad10c2ff3beaecf9c5a2ef011f0512c820b28e5846629a75105dfe5f9a585aaf",
    "3.19.1-01": "9100dfecf46012f60dc84d3c7c1bd0eca03b1da8e286e45ccd795bad75038356",
}
"""SHA-256 of the Core zips that this sandbox was tried with, as ``mvn`` delivered and verified them."""

VERSION = "3.71.0-06"
"""The version that the demo and the tests run, unless they name another."""

_HERE = Path(__file__).resolve().parent
_LAUNCHER = _HERE / "launcher"
_STANDIN = _HERE / "standin"
_OPENAPI = _HERE.parent / "tests/data/openapi"
_LAYOUT = 2  # part of every archive's key: raise it when this module packs differently
_OWN = ("bin/nexus", "bin/nexus.vmoptions", "bin/nexus.rc")


@dataclass(frozen=True)
class Archive:
    """A Nexus archive on this machine: where it is, its SHA-256, the version and the vendor's name for it."""

    path: Path
    sha256: str
    version: str
    name: str


@dataclass(frozen=True)
class _Member:
    """One file of the archive to be: its path there, its content (a file, or bytes) and whether it is run."""

    path: str
    content: Path | bytes
    executable: bool = False


def nexus_archive(version: str = VERSION, docker: bool = True) -> Archive:
    """The archive of a Nexus version in the vendor's layout; made once, then taken from the cache.

    ``version`` is one of ``CORE_SHA256``. ``docker`` adds the docker-format stand-in, which stands in for the
    format as 3.71 has it and so goes with 3.71.0-06 only; without it the archive is Nexus Core alone.
    With ``NEXUS_ARCHIVE`` in the environment, the archive with the docker format is that file, of any version.
    Raises ``ValueError`` for other versions, and ``CommandFailed`` with Maven's or pip's words when something
    can't be fetched or its checksum does not hold.
    """
    if docker and (given := os.environ.get("NEXUS_ARCHIVE")):
        return _given(Path(given).resolve())
    if version not in CORE_SHA256:
        raise ValueError(f"no Nexus Core {version} in the sandbox; there are {', '.join(CORE_SHA256)}")
    if docker and not version.startswith("3.71."):
        raise ValueError(f"the docker-format stand-in goes with Nexus 3.71, not with {version}; use docker=False")
    name = f"nexus-{version}-unix.tar.gz"
    kind = f"{version}-{'docker' if docker else 'core'}"
    folder = CACHE / "nexus" / f"{kind}-{_key(version, docker)}"
    path, digest = folder / name, folder / f"{name}.sha256"
    if not digest.exists():
        with locked(CACHE / f"nexus/{kind}.lock"):
            if not digest.exists():
                with progress(f"making {name}{' with the docker format' if docker else ''}"):
                    folder.mkdir(parents=True, exist_ok=True)
                    _replace(digest, _pack(path, version, docker).encode())
                _keep_newest(kind)
    return Archive(path, digest.read_text().strip(), version, name)


@cache
def _given(path: Path) -> Archive:
    """The vendor's archive, whose version is in the name of its top folder."""
    with tarfile.open(path) as tar:
        for member in tar:
            if found := re.match(r"(?:\./)?nexus-(3\.\d+\.\d+-\d+)(?:/|$)", member.name):
                return Archive(path, _sha256(path), found[1], path.name)
    raise ValueError(f"NEXUS_ARCHIVE: {path} has no folder nexus-<version>. Set it to the vendor's tar.gz.")


def _keep_newest(kind: str) -> None:
    """Remove all but the two newest archives of this kind: each change of the stand-in makes another."""
    made = sorted(CACHE.glob(f"nexus/{kind}-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in made[:-2]:
        shutil.rmtree(folder)


def _key(version: str, docker: bool) -> str:
    """A digest of everything that goes into the archive, so that another input makes another one."""
    digest = hashlib.sha256(f"{_LAYOUT} {CORE_SHA256[version]} {platform.machine()}".encode())
    for folder in (_LAUNCHER, _STANDIN, _OPENAPI) if docker else (_LAUNCHER,):
        for file in sorted(folder.iterdir()):
            if file.is_file():
                digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _core_zip(version: str, folder: Path) -> Path:
    """The Core zip: Maven's own copy where it has one, else fetched into ``folder``. Its checksum is checked."""
    artifact = f"org.sonatype.nexus.assemblies:nexus-base-template:{version}:zip"
    file = f"nexus-base-template-{version}.zip"
    kept = Path.home() / ".m2/repository/org/sonatype/nexus/assemblies/nexus-base-template" / version / file
    if kept.exists() and _sha256(kept) == CORE_SHA256[version]:
        return kept
    if not shutil.which("mvn"):
        ensure("maven", "default-jre-headless")
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    run(command, timeout=1800)
    if (found := _sha256(folder / file)) != CORE_SHA256[version]:
        raise ValueError(f"{artifact} has the SHA-256 {found}, expected {CORE_SHA256[version]}")
    return folder / file


def _pack(path: Path, version: str, docker: bool) -> str:
    """Write the archive, the same bytes for the same members, and return its SHA-256."""
    with (
        tempfile.TemporaryDirectory(dir=path.parent) as work,
        zipfile.ZipFile(_core_zip(version, Path(work))) as source,
    ):
        folders, members = set(), []
        top = f"nexus-base-template-{version}/"
        for entry in source.infolist():
            target = _place(entry.filename.removeprefix(top), version)
            if entry.is_dir():
                folders.add(target.rstrip("/"))
            else:
                executable = bool(entry.external_attr >> 16 & stat.S_IXUSR)
                members.append(_Member(target, source.read(entry), executable))
        members += _launcher(version)
        if docker:
            members += _standin(f"nexus-{version}/standin", Path(work))
        _write(path, folders, members)
    return _sha256(path)


def _place(name: str, version: str) -> str:
    """Where a file of the Core zip goes in the vendor's layout."""
    if name.startswith(("nexus3/", "sonatype-work/")):
        return f"sonatype-work/{name.removeprefix('sonatype-work/')}"
    return f"nexus-{version}/{'bin/karaf' if name == 'bin/nexus' else name}"


def _launcher(version: str) -> Iterator[_Member]:
    """The files of the vendor's ``bin/`` that Core lacks, for the Java that this version runs on."""
    java_8 = tuple(map(int, version.split(".")[:2])) < (3, 67)
    for name in _OWN:
        text = (_LAUNCHER / Path(name).name).read_text()
        if java_8:
            text = text.replace("java_min=17\njava_max=99\n", "java_min=8\njava_max=8\n")
        yield _Member(f"nexus-{version}/{name}", text.encode(), name == "bin/nexus")


def _standin(top: str, work: Path) -> Iterator[_Member]:
    """The stand-in: its modules, the libraries it needs for Debian 12's Python, and Debian's registry."""
    for file in sorted(_STANDIN.glob("*.py")):
        yield _Member(f"{top}/{file.name}", file)
    for file in sorted(_OPENAPI.glob("*.json")):
        yield _Member(f"{top}/openapi/{file.name}", file)
    library = work / "lib"
    command: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
    command += ["--disable-pip-version-check", "--target", library, "--require-hashes", "--only-binary=:all:"]
    command += ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3"]
    command += ["--abi", "none"]
    for tag in ("manylinux_2_28", "manylinux2014", "manylinux_2_17"):
        command += ["--platform", f"{tag}_{platform.machine()}"]
    run([*command, "--requirement", _STANDIN / "requirements.txt"])
    shutil.rmtree(library / "bin", ignore_errors=True)  # pip's scripts name the Python that called it, …
    for file in sorted(library.rglob("*")):
        if file.is_file() and file.name != "RECORD":  # … and RECORD has their digests
            yield _Member(f"{top}/lib/{file.relative_to(library)}", file)
    ensure("docker-registry")
    yield _Member(f"{top}/bin/docker-registry", Path("/usr/bin/docker-registry"), True)


def _write(path: Path, folders: set[str], members: list[_Member]) -> None:
    """Write a tar.gz whose bytes depend on nothing but its members."""
    for member in members:
        folders.update(str(parent) for parent in Path(member.path).parents if str(parent) != ".")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with (
        partial.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for folder in sorted(folders):
            tar.addfile(_info(folder, tarfile.DIRTYPE, 0o755))
        for member in sorted(members, key=lambda member: member.path):
            content = member.content if isinstance(member.content, bytes) else member.content.read_bytes()
            info = _info(member.path, tarfile.REGTYPE, 0o755 if member.executable else 0o644)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    partial.rename(path)


def _info(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.mtime = kind, mode, 1_700_000_000
    info.uname = info.gname = "root"
    return info


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.rename(path)
