"""What the service step writes: derived XML, properties and unit, each rendered by three shells."""

from __future__ import annotations

from pathlib import Path
from xml.dom import minidom

import pytest

from tests.unit.steps_shell import parsed, run

HTTPS_XML = """<?xml version="1.0"?>
<Configure id="Server" class="org.eclipse.jetty.server.Server">
  <!-- <Set name="KeyStorePassword">password</Set> -->
  <New id="sslContextFactory" class="org.eclipse.jetty.util.ssl.SslContextFactory$Server">
    <Set name="KeyStorePath"><Property name="ssl.etc"/>/keystore.jks</Set>
    <Set name="KeyStorePassword">password</Set>
    <Set name="KeyManagerPassword">password</Set>
    <Set name="TrustStorePath"><Property name="ssl.etc"/>/keystore.jks</Set>
    <Set name="TrustStorePassword">password</Set>
    <Set name="IncludeProtocols">
      <Array type="java.lang.String">
        <Item>TLSv1.2</Item>
      </Array>
    </Set>
  </New>
  <Call name="addConnector"><Arg><Ref refid="sslContextFactory"/></Arg></Call>
</Configure>
"""
_PROTOCOLS = HTTPS_XML[HTTPS_XML.index('    <Set name="Include') : HTTPS_XML.index("  </New>")]
OLD_XML = HTTPS_XML.replace("$Server", "").replace(_PROTOCOLS, "")
JETTY_12_XML = """<?xml version="1.0"?>
<Configure id="Server" class="org.eclipse.jetty.server.Server">
  <New id="sslContextFactory" class="org.eclipse.jetty.util.ssl.SslContextFactory$Server">
    <Set name="KeyStorePath">
      <Call name="resolvePath" class="org.eclipse.jetty.xml.XmlConfiguration">
        <Arg><Property name="ssl.etc"/></Arg>
        <Arg><Property name="jetty.sslContext.keyStorePath" default="keystore.jks"/></Arg>
      </Call>
    </Set>
    <Set name="KeyStorePassword">password</Set>
    <Set name="keyManagerPassword" property="jetty.sslContext.keyManagerPassword"/>
    <Set name="TrustStorePassword"><Property name="jetty.sslContext.trustStorePassword"/></Set>
  </New>
</Configure>
"""


def fake_install(
    folder: Path, xml: str, *, scanner: bool, java: str = "17.0.9", jar: str = "system/jetty-util-9.4.jar"
) -> Path:
    (folder / "etc/jetty").mkdir(parents=True)
    (folder / "etc/jetty/jetty-https.xml").write_text(xml)
    (folder / "etc/nexus-default.properties").write_text(
        "application-port=8081\nnexus-args=${jetty.etc}/jetty.xml,${jetty.etc}/jetty-http.xml\n"
    )
    (folder / "system").mkdir()
    name = b"org/eclipse/jetty/util/ssl/KeyStoreScanner.class" if scanner else b"org/eclipse/Other.class"
    (folder / jar).parent.mkdir(parents=True, exist_ok=True)
    (folder / jar).write_bytes(b"PK\0\1" + name + b"\0")
    (folder / "java/bin").mkdir(parents=True)
    (folder / "java/bin/java").write_text(f"#!/bin/sh\necho 'openjdk version \"{java}\" 2024-01-01' >&2\n")
    (folder / "java/bin/java").chmod(0o755)
    return folder


def text(element: minidom.Element) -> str:
    return "".join(child.data for child in element.childNodes if isinstance(child, minidom.Text))


@pytest.mark.parametrize("xml", [HTTPS_XML, OLD_XML, JETTY_12_XML], ids=["9.4", "3.19", "12"])
@pytest.mark.parametrize("password", ["simple", "a&b<c>\"d'\\1 & $x"])
def test_derived_xml_holds_path_password_and_protocols(
    shell: list[str], tmp_path: Path, xml: str, password: str
) -> None:
    install = fake_install(tmp_path, xml, scanner=True)
    body = f'derive_https_xml {install} /data/etc/ssl/keystore.jks {install}/java "$KEYSTORE_PASSWORD"'
    derived = run(shell, body, secrets={"KEYSTORE_PASSWORD": password})
    document = minidom.parseString(derived)  # noqa: S318 - our own text
    texts = {element.getAttribute("name"): text(element) for element in document.getElementsByTagName("Set")}
    assert texts["KeyStorePath"] == "/data/etc/ssl/keystore.jks"
    assert texts["KeyStorePassword"] == texts["KeyManagerPassword"] == texts["TrustStorePassword"] == password
    assert [text(item) for item in document.getElementsByTagName("Item")] == ["TLSv1.2", "TLSv1.3"]
    beans = [new.getAttribute("id") for new in document.getElementsByTagName("New")]
    assert beans == ["sslContextFactory", "keyStoreScanner"]


def test_unsupported_fields_are_left_out(shell: list[str], tmp_path: Path) -> None:
    install = fake_install(tmp_path, HTTPS_XML, scanner=False, java="1.8.0_252")
    derived = run(shell, f"derive_https_xml {install} /k {install}/java pw")
    assert "KeyStoreScanner" not in derived
    assert "TLSv1.3" not in derived
    install = fake_install(tmp_path / "newer", HTTPS_XML, scanner=False, java="1.8.0_292")
    assert "TLSv1.3" in run(shell, f"derive_https_xml {install} /k {install}/java pw")


def test_unknown_file_is_refused(shell: list[str], tmp_path: Path) -> None:
    install = fake_install(tmp_path, "<Configure/>", scanner=False)
    said = run(shell, f"derive_https_xml {install} /k {install}/java pw")
    assert "which the HTTPS configuration needs. Choose another version" in said


BEFORE = """# by hand
application-port=8080
  application-port : 9999
nexus.scripts.allowCreation=true\r
multi.line=one,\\
   application-host=two
nexus-args=${jetty.etc}/jetty.xml,\\
  ${jetty.etc}/jetty-https.xml
former=gone
"""


def test_properties_of_others_are_kept_byte_for_byte(shell: list[str], tmp_path: Path) -> None:
    install = fake_install(tmp_path, HTTPS_XML, scanner=False)
    (tmp_path / "before").write_bytes(BEFORE.encode())
    body = parsed(
        "--property 'a.b=C:\\x \\u00e9' --property former2=1",
        f"check_arguments; desired_properties {install} >{tmp_path}/wanted;"
        f" merged_properties {tmp_path}/wanted 'former other' {tmp_path}/before",
    )
    assert run(shell, body) == (
        "# by hand\n"
        "application-port=8081\n"
        "nexus.scripts.allowCreation=true\r\n"
        "multi.line=one,\\\n   application-host=two\n"
        "nexus-args=${jetty.etc}/jetty.xml,${jetty.etc}/jetty-http.xml,${karaf.data}/etc/jetty/jetty-https.xml\n"
        "application-host=0.0.0.0\n"
        "application-port-ssl=8443\n"
        "nexus-context-path=/\n"
        "ssl.etc=${karaf.data}/etc/ssl\n"
        "a.b=C:\\\\x \\u00e9\n"
        "former2=1\n"
    )


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("nexus-args=x", "nexus-args is managed through an argument of its own"),
        ("novalue", "must be key=value, not 'novalue'"),
        ("a b=c", "the key 'a b' may contain only"),
        ("a=é", "is not printable ASCII"),
    ],
)
def test_invalid_properties_are_refused(shell: list[str], tmp_path: Path, item: str, said: str) -> None:
    install = fake_install(tmp_path, HTTPS_XML, scanner=False)
    assert said in run(shell, parsed(f"--property '{item}'", f"check_arguments; desired_properties {install}"))


def unit(shell: list[str], version: int, java: str = "/usr/lib/jvm/j", flags: str = "", mount: str = "/") -> str:
    body = f"stat() {{ echo {mount}; }}\ncheck_arguments\nunit_text {version} {java} /opt/nexus/nexus-3.71.0-06"
    return run(shell, parsed(flags, body))


@pytest.mark.parametrize(
    ("version", "has", "has_not"),
    [
        (219, ["Type=simple", "ReadWriteDirectories=/srv/nexus", "PrivateTmp=yes"], ["SystemCall", "NoNewPriv"]),
        (239, ["Type=simple", "ReadWritePaths=/srv/nexus", "LockPersonality=yes"], ["ProtectClock"]),
        (252, ["Type=exec", "ProtectProc=invisible", "RestrictSUIDSGID=yes"], ["Directories="]),
    ],
)
def test_unit_follows_systemd_version(shell: list[str], version: int, has: list[str], has_not: list[str]) -> None:
    written = unit(shell, version)
    for line in [*has, "LimitNOFILE=65536", "ExecStart=/opt/nexus/nexus/bin/nexus run"]:
        assert f"\n{line}\n" in written
    assert "Environment=JAVA_HOME=/usr/lib/jvm/j\n" in written
    for word in has_not:
        assert word not in written


def test_bundled_java_is_not_in_unit(shell: list[str]) -> None:
    assert "JAVA_HOME" not in unit(shell, 252, java="/opt/nexus/nexus-3.71.0-06/jdk/x/jdk-21")


@pytest.mark.parametrize(
    ("data_dir", "mount", "homes", "write"),
    [
        ("/srv/nexus", "/", "yes", "/srv/nexus"),
        ("/home/data/nexus", "/home", "no", "/home/data/nexus"),
        ("/usr/local/nexus/data", "/", "yes", "/usr/local/nexus/data"),
        ("/usr/local/nexus/data", "/usr/local", "yes", "/usr/local"),
    ],
)
def test_java_sees_no_read_only_disk_below_data(
    shell: list[str], data_dir: str, mount: str, homes: str, write: str
) -> None:
    written = unit(shell, 252, flags=f"--data-dir {data_dir}", mount=mount)
    assert f"\nProtectHome={homes}\nProtectSystem=full\n" in written
    assert f"\nReadWritePaths={write}\n" in written


def test_unit_waits_for_mounts_of_its_directories(shell: list[str], tmp_path: Path) -> None:
    """Also where a link leads, or one in the data directory: systemd resolves none."""
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "data").mkdir()
    for name, target in (("blobs", "/mnt/disk/blobs"), ("odd", "/mnt/a b"), ("within", f"{tmp_path}/data/etc")):
        (tmp_path / "data" / name).symlink_to(target)
    places = f"/mnt/disk/blobs /opt/nexus {tmp_path}/data {tmp_path}/link/data"
    assert f"\nRequiresMountsFor={places}\n" in unit(shell, 252, flags=f"--data-dir {tmp_path}/link/data")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("/home/disk/blobs", "ProtectHome=no"),
        ("/usr/local/lib", "ReadWritePaths={data} /usr/local/lib"),
        ("/usr/local/missing", "ReadWritePaths={data}"),
        ("/usr/local/a%nb", "ReadWritePaths={data}"),
        ("/srv/other/blobs", "ReadWritePaths={data}"),
    ],
)
def test_unit_reaches_where_links_of_data_directory_lead(
    shell: list[str], tmp_path: Path, target: str, line: str
) -> None:
    """systemd does not start a unit with a path that is missing, and reads % as the beginning of a specifier."""
    (tmp_path / "blobs").symlink_to(target)
    assert f"\n{line.format(data=tmp_path)}\n" in unit(shell, 252, flags=f"--data-dir {tmp_path}")


@pytest.mark.parametrize(("mounts", "refused"), [("noexec", True), ("exec noexec", True), ("noexec exec", False)])
def test_install_root_without_programs_is_refused(
    shell: list[str], tmp_path: Path, mounts: str, refused: bool
) -> None:
    """A file system that is mounted noexec holds no program that is executable. The last mount covers others."""
    places = f"arg_install_root={tmp_path}/opt/nexus arg_data_dir=/srv/data\nreal_path() {{ echo /srv/r$1; }}\n"
    places += f'findmnt() {{ [ "$5" != /srv ] || printf "rw,%s,relatime\\n" {mounts}; }}\ncheck_places; echo fine'
    expected = f"install_root: {tmp_path}/opt/nexus lies on a file system that is mounted noexec. Mount"
    assert run(shell, places).startswith(expected if refused else "fine\n")


def test_nexus_properties_that_is_link_is_refused(shell: list[str], tmp_path: Path) -> None:
    """Root neither reads nor replaces what the service's account lets it lead to."""
    install = fake_install(tmp_path / "install", HTTPS_XML, scanner=False)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nexus.properties").symlink_to("/etc/shadow")
    body = f"check_arguments; work={tmp_path} FACTS={tmp_path}/facts; write_properties {install} root:root"
    said = run(shell, parsed(f"--data-dir {tmp_path}", body))
    assert said.startswith(f"data_dir: {tmp_path}/etc/nexus.properties is a symbolic link. Replace it by a file")
    assert (tmp_path / "etc/nexus.properties").is_symlink()


def test_link_of_data_directory_into_tmp_is_refused(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/blobs").symlink_to("/var/tmp/blobs")
    places = f"arg_install_root=/opt/nexus arg_data_dir={tmp_path}/data\nreal_path() {{ echo /srv/r$1; }}\n"
    said = run(shell, f"{places}check_places")
    assert f"data_dir: a symbolic link in {tmp_path}/data leads to /var/tmp/blobs" in said


@pytest.mark.parametrize("rolled", ["", "renamed", "emptied"])
def test_log_since_start_survives_new_log_file(shell: list[str], tmp_path: Path, rolled: str) -> None:
    log = tmp_path / "nexus.log"
    log.write_text("yesterday\n")
    before = log.stat()
    if rolled == "emptied":
        log.write_text("")
    if rolled == "renamed":
        log.rename(tmp_path / "nexus-1.log")
        log.write_text("a first line that is longer than the old log\n")
    with log.open("a") as more:
        more.write("today\n")
    said = run(shell, f"nexus_log={log} log_before={before.st_size} log_inode={before.st_ino}\nlog_since")
    assert said == ("a first line that is longer than the old log\n" if rolled == "renamed" else "") + "today\n"


@pytest.mark.parametrize("jar", ["system/a/jetty-util-9.4.jar", "bin/nexus-boot.jar", "lib/x/util.jar"])
@pytest.mark.parametrize("scanner", [True, False])
def test_scanner_is_recognised_in_any_jar(shell: list[str], tmp_path: Path, jar: str, scanner: bool) -> None:
    install = fake_install(tmp_path, HTTPS_XML, scanner=scanner, jar=jar)
    assert run(shell, f"if has_scanner {install}; then echo yes; fi") == ("yes\n" if scanner else "")


def test_unit_may_listen_at_privileged_ports_only_when_asked(shell: list[str]) -> None:
    plain, privileged = (unit(shell, 252, flags=flags).splitlines() for flags in ("", "--privileged-ports yes"))
    assert sorted(set(plain) ^ set(privileged)) == [
        "AmbientCapabilities=",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "CapabilityBoundingSet=",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "PrivateUsers=yes",
    ]
    body = "systemd_version() { echo 219; }; check_privileged_ports"
    assert run(shell, parsed("--privileged-ports yes", body)).startswith("privileged_ports: ports below 1024 need")
    assert run(shell, parsed("", body)) == ""


@pytest.mark.parametrize(
    ("address", "http", "https"),
    [("::1", "http://[::1]:8081", "[::1]:8443"), ("10.0.0.1", "http://10.0.0.1:8081", "10.0.0.1:8443")],
)
def test_address_of_either_kind_is_asked(
    shell: list[str], tmp_path: Path, address: str, http: str, https: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/keytool").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n')
    (tmp_path / "bin/keytool").chmod(0o755)
    body = f"check_arguments; java={tmp_path}; base_url; served_fingerprint"
    assert run(shell, parsed(f"--address {address}", body)) == http
    assert (tmp_path / "asked").read_text().split()[-1] == https


@pytest.mark.parametrize(("content", "pending"), [("same", False), ("other", True)])
def test_only_changed_content_restarts(shell: list[str], tmp_path: Path, content: str, pending: bool) -> None:
    (tmp_path / "file").write_text(content)
    (tmp_path / "file").chmod(0o600)
    body = f"unit=nexus FACTS={tmp_path}/facts work={tmp_path}; echo same | tr -d '\\n' | "
    body += f"update_file {tmp_path}/file root:root 0640; has_fact service.pending && echo pending"
    assert ("pending" in run(shell, body)) == pending
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("used", [False, True])
def test_former_install_roots_are_removed_if_unused(shell: list[str], tmp_path: Path, used: bool) -> None:
    """Of changes that failed, too: one after the archive step, another one after the unit was written."""
    unpacked, former = tmp_path / "unpacked", tmp_path / "former"
    for root, name, ours in (
        (former, "nexus-3.71.0-06", True),
        (former, "nexus-3.70.0-01", False),
        (unpacked, "nexus-3.71.0-06", True),
        (tmp_path / "now", "nexus-3.71.0-06", True),
    ):
        (root / name).mkdir(parents=True)
        if ours:
            (root / name / ".nexus-registry").touch()
    (former / "nexus").symlink_to("nexus-3.71.0-06")
    (tmp_path / "now/nexus").symlink_to("nexus-3.71.0-06")
    facts = f"FACTS_ROOT={tmp_path} FACTS={tmp_path}/facts unit=nexus"
    for root in (unpacked, tmp_path / "now"):
        body = f"fetch_archive() {{ exit; }}\n{facts} arg_install_root={root} arg_version=x; unpack_version"
        assert run(shell, body, "archive") == ""
    (tmp_path / "unit").write_text(f"ExecStart={former}/nexus/bin/nexus run\n")
    body = f"""{facts} work={tmp_path} arg_install_root={tmp_path}/now former_units=
unit_text() {{ echo new; }}
update_file() {{ echo ExecStart={unpacked}/nexus/bin/nexus run >"$1"; }}
systemctl() {{ :; }}
unit_file() {{ echo {tmp_path}/unit; }}
nexus_units() {{ echo "{"other" if used else "nexus"}|ours|nexus|nexus|{former}|/data"; }}
write_unit x y
write_unit x y
remove_former_root
remove_former_root"""
    said = run(shell, parsed("", body))
    assert said.count("removed") == (1 if used else 2)
    left = ["nexus", "nexus-3.70.0-01", "nexus-3.71.0-06"] if used else ["nexus-3.70.0-01"]
    assert sorted(path.name for path in former.iterdir()) == left
    assert not unpacked.exists()
    assert (tmp_path / "now/nexus").exists()
    assert not (tmp_path / "facts").exists()
