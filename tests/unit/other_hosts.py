"""Hosts whose packages can't be had here: a root of its own with the system's facts and stand-ins for its tools.

A stand-in is a small sh script that writes its name and its exact arguments down; what installs packages puts
their files there. The steps run in there whole, by chroot, with busybox as their shell and tools.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nexus_registry.components.host import steps

from sandbox.packages import ensure

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = 'printf "%s\\n" "${0##*/} $*" >>/calls\n'
INSTALL = 'for name; do [ ! -f "/packages/$name" ] || { sh "/packages/$name"; touch "/installed/$name"; }; done\n'
APPLETS = (
    "sh awk sed grep cat tr cut head tail mktemp mv rm mkdir rmdir chown chmod stat dirname sleep date env"
    " touch cp ln readlink sort id sha256sum base64 od timeout tee wc printf sync dd du"
)


@dataclass(frozen=True)
class System:
    """What is known of a Linux distribution; where a fact was found stands beside it."""

    os_release: str
    managers: Mapping[str, str]
    """Its package managers, each with what its stand-in does after it wrote its arguments down."""
    packages: Mapping[str, str]
    """What can be installed, and the program or Java home that it brings."""
    missing: tuple[str, ...] = ()
    """Programs that a small installation lacks."""
    files: tuple[str, ...] = ()
    """Files that are there: the bundle of CA certificates."""


APT = {
    "apt-get": f'case " $* " in *" install "*) while [ "$1" != install ]; do shift; done; shift; {INSTALL}esac\n',
    "apt-cache": 'if [ -f "/packages/$2" ]; then echo "  Candidate: 1.0"; else echo "  Candidate: (none)"; fi\n',
    "dpkg-query": 'eval last=\\${$#}; [ -f "/installed/$last" ] && printf "install ok installed"\n',
}
RPM = 'case $1 in -q) [ -f "/installed/$2" ] ;; esac\n'
DNF = f'case $2 in list) [ -f "/packages/$3" ] ;; -y) shift 3; {INSTALL}esac\n'
ZYPPER = f"""case $3 in
    search) [ -f "/packages/$7" ] || exit 104 ;;
    install) shift 4; {INSTALL}exit 102 ;;
esac
"""
CA_DEBIAN = "/etc/ssl/certs/ca-certificates.crt"
CA_REDHAT = "/etc/pki/tls/certs/ca-bundle.crt"

# os-release: as the systems themselves show it (published copies of /etc/os-release). Java packages and homes: the
# distributions' package lists; the homes are the links that their alternatives keep over updates.
UBUNTU = System(
    'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION="24.04.1 LTS (Noble Numbat)"\n'
    "VERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n",
    APT,
    {f"openjdk-{major}-jre-headless": f"/usr/lib/jvm/java-{major}-openjdk-amd64" for major in (8, 11, 17, 21)}
    | {"curl": "curl"},
    missing=("curl",),
    files=(CA_DEBIAN,),
)
ROCKY = System(
    'NAME="Rocky Linux"\nVERSION="9.4 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
    'PLATFORM_ID="platform:el9"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
    {"dnf": DNF, "yum": DNF, "rpm": RPM},
    {
        **{
            f"java-{java}-openjdk-headless": f"/usr/lib/jvm/jre-{java}-openjdk"
            for java in ("1.8.0", "11", "17", "21")
        },
        "tar": "tar",
        "policycoreutils-python-utils": "semanage",
    },
    missing=("tar",),
    files=(CA_REDHAT,),
)
CENTOS = System(
    'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
    'PRETTY_NAME="CentOS Linux 7 (Core)"\nCPE_NAME="cpe:/o:centos:centos:7"\n',
    {"yum": DNF, "rpm": RPM},
    {
        **{f"java-{java}-openjdk-headless": f"/usr/lib/jvm/jre-{java}-openjdk" for java in ("1.8.0", "11")},
        "iproute": "ss",
        "policycoreutils-python": "semanage",
    },
    missing=("ss",),
    files=(CA_REDHAT,),
)
LEAP = System(
    'NAME="openSUSE Leap"\nVERSION="15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n'
    'PRETTY_NAME="openSUSE Leap 15.6"\n',
    {"zypper": ZYPPER, "rpm": RPM},
    {
        "java-1_8_0-openjdk-headless": "/usr/lib64/jvm/jre-1.8.0-openjdk",
        **{f"java-{java}-openjdk-headless": f"/usr/lib64/jvm/jre-{java}-openjdk" for java in ("11", "17", "21")},
        "iproute2": "ss",
        "diffutils": "cmp",
        "ca-certificates-mozilla": "/etc/ssl/ca-bundle.pem",
    },
    missing=("ss", "cmp"),
)


@dataclass
class OtherHost:
    """A root with one of the systems in it."""

    root: Path
    system: System
    tools: dict[str, str] = field(default_factory=dict)
    """More stand-ins, such as SELinux' or firewalld's programs."""
    brought: dict[str, str] = field(default_factory=dict)
    """What a program that a package brings does after it wrote its arguments down."""

    def __post_init__(self) -> None:
        for name in (
            "bin",
            "etc",
            "proc/1",
            "run",
            "tmp",
            "packages",
            "installed",
            "usr/lib",
            "opt",
            "etc/systemd/system",
        ):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self._busybox()
        self.write("etc/os-release", self.system.os_release)
        self.write("etc/passwd", "root:x:0:0::/:/bin/sh\n")
        self.write("etc/group", "root:x:0:\n")
        self.write("proc/1/comm", "systemd\n")
        self.write("proc/meminfo", "MemTotal:       8000000 kB\n")
        self.write("proc/locks", "")
        self.write("dev/null", "")
        for name in self.system.files:
            self.write(name, "")
        for name in ("curl", "tar", "gzip", "find", "cmp", "ss"):
            if name not in self.system.missing:
                self.program(name, "", record=name != "find")  # which looks for links in the data directory
        for name, says in (
            ("uname", "echo x86_64\n"),
            ("flock", ""),
            ("df", "echo /dev/vda1 50000000 1 40000000 1% /\n"),
        ):
            self.program(name, says, record=False)
        for name, body in {**self.system.managers, **self.tools}.items():
            self.program(name, body)
        for name, brings in self.system.packages.items():
            self.package(name, brings)

    def _busybox(self) -> None:
        """busybox with the libraries that it is linked against, and the programs that it plays."""
        ensure("busybox")
        binary = str(shutil.which("busybox"))
        linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
        for path in [binary, *re.findall(r"(/\S+) \(0x", linked)]:
            place = self.root / path.lstrip("/") if path != binary else self.root / "bin/busybox"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            place.chmod(0o755)
        for name in APPLETS.split():
            (self.root / "bin" / name).symlink_to("busybox")

    def package(self, package: str, brings: str) -> None:
        """The script that puts the package's one file there."""
        place, content = (
            (brings if brings.startswith("/") else f"/bin/{brings}"),
            f"#!/bin/sh\n{RECORD}{self.brought.get(brings, '')}",
        )
        if "jvm" in brings:
            major = re.findall(r"(?:1[._])?(\d+)", package)[0]
            number = "1.8.0_412" if major == "8" else f"{major}.0.11"
            place, content = f"{brings}/bin/java", f"#!/bin/sh\necho 'openjdk version \"{number}\"' >&2\n"
        self.write(f"payload/{package}", content)
        script = f"mkdir -p {Path(place).parent}; cp /payload/{package} {place}; chmod 755 {place}\n"
        self.write(f"packages/{package}", script)

    def write(self, path: str, content: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_text(content)

    def program(self, name: str, body: str, *, record: bool = True, folder: str = "bin") -> None:
        path = f"{folder}/{name}".lstrip("/")
        self.write(path, f"#!/bin/sh\n{RECORD if record else ''}{body}")
        (self.root / path).chmod(0o755)

    def run(
        self,
        step: str,
        verb: steps.Verb = "create",
        secrets: Mapping[str, str] | None = None,
        **flags: Any,
    ) -> subprocess.CompletedProcess[str]:
        """A whole step, as SSH would start it."""
        return self.shell(steps.command(verb, {"unit": "nexus", **flags}), steps.stdin(step, secrets))

    def shell(self, line: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command line in the root, as root."""
        as_root = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
        return subprocess.run(
            [*as_root, "/usr/sbin/chroot", self.root, "/bin/sh", "-c", line],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """The stand-ins' calls since the last time, with their exact arguments."""
        record = self.root / "calls"
        said = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return said
