"""Ubuntu, Rocky, CentOS 7 and openSUSE: the steps' commands, exact to the argument; a second pass issues none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.other_hosts import CENTOS, LEAP, ROCKY, UBUNTU, OtherHost, System

if TYPE_CHECKING:
    from pathlib import Path

APT_INSTALL = (
    "apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=60 install"
)
ASKED: dict[str, Any] = {
    "install_root": "/opt/nexus",
    "data_dir": "/var/lib/nexus",
    "heap_mb": 1000,
    "min_disk_mb": 1,
    "https_port": 8443,
}


CASES: list[tuple[str, System, int, str, list[str]]] = [
    (
        "ubuntu",
        UBUNTU,
        major,
        f"/usr/lib/jvm/java-{major}-openjdk-amd64",
        [
            "apt-get -q update",
            f"{APT_INSTALL} curl",
            f"apt-cache policy openjdk-{major}-jre-headless",
            f"{APT_INSTALL} openjdk-{major}-jre-headless",
        ],
    )
    for major in (8, 11, 17, 21)
]
CASES += [
    (
        "rocky",
        ROCKY,
        major,
        f"/usr/lib/jvm/jre-{java}-openjdk",
        [
            "dnf -q -y install tar",
            f"dnf -q list java-{java}-openjdk-headless",
            f"dnf -q -y install java-{java}-openjdk-headless",
        ],
    )
    for major, java in ((8, "1.8.0"), (11, "11"), (17, "17"), (21, "21"))
]
CASES += [
    (
        "centos",
        CENTOS,
        major,
        f"/usr/lib/jvm/jre-{java}-openjdk",
        [
            "yum -q -y install iproute",
            f"yum -q list java-{java}-openjdk-headless",
            f"yum -q -y install java-{java}-openjdk-headless",
        ],
    )
    for major, java in ((8, "1.8.0"), (11, "11"))
]
CASES += [
    (
        "leap",
        LEAP,
        major,
        f"/usr/lib64/jvm/jre-{home}-openjdk",
        [
            "zypper -n -q refresh",
            "zypper -n -q install --no-recommends diffutils iproute2 ca-certificates-mozilla",
            f"zypper -n -q search --match-exact --type package java-{package}-openjdk-headless",
            f"zypper -n -q install --no-recommends java-{package}-openjdk-headless",
        ],
    )
    for major, package, home in ((8, "1_8_0", "1.8.0"), (11, "11", "11"), (17, "17", "17"), (21, "21", "21"))
]


@pytest.mark.parametrize(
    ("system", "major", "home", "calls"),
    [case[1:] for case in CASES],
    ids=[f"{name}-java{major}" for name, _, major, *_ in CASES],
)
def test_bare_host_gets_tools_and_java_once(
    tmp_path: Path, system: System, major: int, home: str, calls: list[str]
) -> None:
    host = OtherHost(tmp_path, system)
    done = host.run("prepare", **ASKED, java_major=major)
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.calls() == calls
    assert f"Java {major} is at {home}\n" in done.stdout
    again = host.run("prepare", "update", **ASKED, java_major=major)
    assert (again.returncode, host.calls()) == (0, []), again.stderr
    assert (host.root / "var/lib/nexus-registry/nexus/prepare.java-home").read_text() == f"{home}\n"


def test_missing_java_package_names_remedy(tmp_path: Path) -> None:
    host = OtherHost(tmp_path, CENTOS)
    done = host.run("prepare", **ASKED, java_major=17)
    assert done.returncode == 1
    assert "CentOS Linux 7 (Core) has no package java-17-openjdk-headless or" in done.stderr
    assert "java_home" in done.stderr
    assert host.calls() == [
        "yum -q -y install iproute",
        "yum -q list java-17-openjdk-headless",
        "yum -q list java-17-amazon-corretto-headless",
    ]


def test_package_missing_from_unfetched_lists_names_fetch(tmp_path: Path) -> None:
    """apt-get update ends with 0 when a source or a proxy can't be reached."""
    failed = "Failed to fetch http://deb.test/InRelease  Could not connect to proxy.test:3142"
    host = OtherHost(tmp_path, UBUNTU)
    body = host.system.managers["apt-get"] + f'case " $* " in *" update "*) echo "W: {failed}" >&2 ;; esac\n'
    host.program("apt-get", body)
    done = host.run("prepare", **ASKED, java_major=29)
    assert done.returncode == 1
    assert (
        f"host: apt could not fetch its lists: {failed}. Correct the package sources, or the proxy" in done.stderr
    )


def test_interrupted_dpkg_is_completed_before_installation(tmp_path: Path) -> None:
    host = OtherHost(
        tmp_path, UBUNTU, {"dpkg": "rm /var/lib/dpkg/updates/*\n", "find": 'exec busybox find "$@"\n'}
    )
    host.write("var/lib/dpkg/updates/0001", "Package: curl\n")
    done = host.run("prepare", **ASKED, java_major=17)
    assert done.returncode == 0, done.stderr
    calls = [call for call in host.calls() if call.startswith(("dpkg ", "apt-get"))]
    assert calls[:3] == ["apt-get -q update", "dpkg --force-confold --configure -a", f"{APT_INSTALL} curl"]
    assert calls[3].startswith(APT_INSTALL)


def test_account_step_is_same_everywhere_and_idempotent(tmp_path: Path) -> None:
    passwd = 'case "$1 $2" in "passwd nexus"|"group nexus") grep -q "^nexus:" "/etc/$1" ;; *) exit 2 ;; esac\n'
    tools = {
        "getent": passwd,
        "groupadd": 'echo "nexus:x:990:" >>/etc/group\n',
        "useradd": 'echo "nexus:x:990:990::/:/bin/sh" >>/etc/passwd\n',
        "nologin": "",
        "find": "",
    }
    host = OtherHost(tmp_path, LEAP, tools)
    account: dict[str, Any] = {"user": "nexus", "group": "nexus", "data_dir": "/var/lib/nexus"}
    done = host.run("account", **account)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [call for call in host.calls() if call.startswith(("groupadd", "useradd"))] == [
        "groupadd -r nexus",
        "useradd -r -M -g nexus -d /var/lib/nexus -s /bin/nologin nexus",
    ]
    again = host.run("account", "update", **account)
    assert again.returncode == 0, again.stderr
    assert not [call for call in host.calls() if call.startswith(("groupadd", "useradd"))]


def test_refused_account_is_named_with_reason(tmp_path: Path) -> None:
    tools = {
        "getent": "exit 2\n",
        "groupadd": "",
        "useradd": "echo 'useradd: UID 990 is not unique' >&2; exit 4\n",
    }
    host = OtherHost(tmp_path, LEAP, {**tools, "nologin": ""})
    done = host.run("account", user="nexus", group="nexus", data_dir="/var/lib/nexus")
    assert (done.returncode, done.stderr) == (
        1,
        "user: the host could not make the user nexus: useradd: UID 990 is not unique. "
        "Choose another name, or create the user by hand.\n",
    )
    facts = {fact.name for fact in (host.root / "var/lib/nexus-registry/nexus").iterdir()}
    assert facts == {"account.group", "account.group-made", "account.user"}


SELINUX = {
    "selinuxenabled": "",
    "matchpathcon": 'case $1 in -V) [ -f "/labelled$2" ] ;; *) case $2 in /opt/*) kind=bin_t ;; *) '
    '[ -f /rules ] && kind=bin_t || kind=var_t ;; esac; echo "system_u:object_r:$kind:s0" ;; esac\n',
    "restorecon": 'for path; do :; done; mkdir -p "/labelled${path%/*}"; touch "/labelled$path"\n',
}
SEMANAGE = "case $2 in -a) touch /rules ;; -d) rm /rules ;; esac\n"


RULE = r"/srv/nexus\.d/nexus-[^/]+/bin/nexus"
LAUNCHER = "/srv/nexus.d/nexus-3.71.0-06/bin/nexus"


@pytest.mark.parametrize(
    ("system", "installed"),
    [
        (
            ROCKY,
            [
                "dnf -q -y install tar",
                "dnf -q list policycoreutils-python-utils",
                "dnf -q -y install policycoreutils-python-utils",
            ],
        ),
        (
            CENTOS,
            [
                "yum -q -y install iproute",
                "yum -q list policycoreutils-python-utils",
                "yum -q list policycoreutils-python",
                "yum -q -y install policycoreutils-python",
            ],
        ),
    ],
    ids=["rocky", "centos"],
)
def test_selinux_rule_lets_systemd_start_launcher(tmp_path: Path, system: System, installed: list[str]) -> None:
    host = OtherHost(tmp_path, system, SELINUX, {"semanage": SEMANAGE})
    host.write(LAUNCHER, "")
    asked = {**ASKED, "install_root": "/srv/nexus.d"}
    done = host.run("prepare", **asked)
    assert done.returncode == 0, done.stdout + done.stderr
    looks = ["matchpathcon -n /srv/nexus.d/nexus-0/bin/nexus", f"matchpathcon -V {LAUNCHER}"]
    calls = host.calls()
    assert [call for call in calls if call.startswith(("dnf", "yum"))] == installed
    assert [call for call in calls if not call.startswith(("dnf", "yum"))] == [
        "selinuxenabled ",
        looks[0],
        f"semanage fcontext -a -t bin_t {RULE}",
        looks[1],
        f"restorecon {LAUNCHER}",
    ]
    assert host.run("prepare", "update", **asked).returncode == 0
    assert host.calls() == ["selinuxenabled ", *looks]
    assert host.run("prepare", "delete", **asked).returncode == 0
    assert host.calls() == [f"semanage fcontext -d {RULE}"]


def test_selinux_needs_no_rule_below_opt(tmp_path: Path) -> None:
    active = OtherHost(tmp_path / "active", ROCKY, SELINUX)
    inactive = OtherHost(tmp_path / "inactive", ROCKY, {**SELINUX, "selinuxenabled": "exit 1\n"})
    for host, calls in (
        (active, ["selinuxenabled ", "matchpathcon -n /opt/nexus/nexus-0/bin/nexus"]),
        (inactive, ["selinuxenabled "]),
    ):
        assert host.run("prepare", **ASKED).returncode == 0
        assert host.calls() == ["dnf -q -y install tar", *calls]


FIREWALLD = {
    "firewall-cmd": """case "$*" in
    *--state) exit "$(cat /firewalld)" ;;
    *--permanent*) at=/permanent ;;
    *) at=/now ;;
esac
mkdir -p "$at"
for word; do :; done
case $word in
    --query-port=*) [ -f "$at/$(echo "${word#*=}" | tr / -)" ] ;;
    --add-port=*) touch "$at/$(echo "${word#*=}" | tr / -)" ;;
    --remove-port=*) rm -f "$at/$(echo "${word#*=}" | tr / -)" ;;
esac
""",
}
OFFLINE = {"firewall-offline-cmd": FIREWALLD["firewall-cmd"].replace("at=/now", "at=/permanent")}


def test_firewalld_ports_follow_open_firewall(tmp_path: Path) -> None:
    host = OtherHost(tmp_path, LEAP, FIREWALLD)
    host.write("firewalld", "0")
    unopened = host.run("prepare", **ASKED)
    query, add, remove = (
        [f"firewall-cmd -q {when}{what}-port=8443/tcp" for when in ("", "--permanent ")]
        for what in ("--query", "--add", "--remove")
    )
    state = "firewall-cmd -q --state"
    assert [call for call in host.calls() if call.startswith("firewall")] == [state, query[0]]
    assert "firewalld is active and its default zone does not list 8443/tcp. Set open_firewall" in unopened.stdout
    opened = {**ASKED, "open_firewall": True}
    assert host.run("prepare", "update", **opened).returncode == 0
    assert host.calls() == [state, query[0], add[0], query[1], add[1]]
    assert host.run("prepare", "update", **opened).returncode == 0
    assert host.calls() == [state, *query]
    moved = host.run("prepare", "update", **{**opened, "https_port": 9443})
    closed = [state, *remove, query[1]]
    assert host.calls()[:5] == [state, *closed]
    assert "firewalld: closed 8443/tcp\nfirewalld: opened 9443/tcp\n" in moved.stdout
    assert host.run("prepare", "delete", **opened).returncode == 0
    assert host.calls() == [call.replace("8443", "9443") for call in closed]


def test_port_step_opens_own_port_and_keeps_manual_ones(tmp_path: Path) -> None:
    host = OtherHost(tmp_path, ROCKY, FIREWALLD)
    host.write("firewalld", "0")
    for place in ("now", "permanent"):
        host.write(f"{place}/5001-tcp", "")
    team: dict[str, Any] = {"https_port": 5000, "http_port": 5001, "for": "team", "open_firewall": True}
    assert host.run("port", **team).returncode == 0
    assert [call for call in host.calls() if "--add" in call] == [
        "firewall-cmd -q --add-port=5000/tcp",
        "firewall-cmd -q --permanent --add-port=5000/tcp",
    ]
    assert host.run("port", "delete", **team).returncode == 0
    assert [call for call in host.calls() if "--remove" in call] == [
        "firewall-cmd -q --remove-port=5000/tcp",
        "firewall-cmd -q --permanent --remove-port=5000/tcp",
    ]


def test_stopped_firewalld_is_unchanged(tmp_path: Path) -> None:
    host = OtherHost(tmp_path, ROCKY, FIREWALLD)
    host.write("firewalld", "252")
    done = host.run("port", https_port=5000, open_firewall=True)
    assert (done.returncode, done.stdout) == (0, "port 5000 can be used\n"), done.stderr
    assert [call for call in host.calls() if call.startswith("firewall")] == ["firewall-cmd -q --state"]


@pytest.mark.parametrize("state", ["stopped", "removed", "refuses"])
def test_delete_with_firewalld_forgets_closed_ports_only(tmp_path: Path, state: str) -> None:
    """A firewalld that is stopped has the port in its files, and opens it when it starts again."""
    host = OtherHost(tmp_path, ROCKY, {**FIREWALLD, **OFFLINE})
    host.write("firewalld", "0")
    team: dict[str, Any] = {"https_port": 5000, "for": "team", "open_firewall": True}
    assert host.run("port", **team).returncode == 0
    host.write("firewalld", "252")
    fact = host.root / "var/lib/nexus-registry/nexus/firewall.registry-team"
    if state == "removed":
        for name in ("firewall-cmd", "firewall-offline-cmd"):
            (host.root / "bin" / name).unlink()
    elif state == "refuses":
        host.program("firewall-offline-cmd", "")
    done = host.run("port", "delete", **team)
    if state == "refuses":
        assert done.stderr.startswith("open_firewall: firewalld does not close 5000/tcp")
        assert fact.read_text() == "5000\n"
    else:
        assert done.returncode == 0, done.stderr
        assert not fact.exists()
        assert (host.root / "permanent/5000-tcp").exists() == (state == "removed")
