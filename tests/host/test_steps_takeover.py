"""A server that was set up by hand, as the manual says, is taken over with its paths and its data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.host.steps import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/usr/local/nexus"
DATA = f"{ROOT}/sonatype-work/nexus3"

MANUAL = f"""set -e
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends openjdk-17-jre-headless curl >/dev/null
mkdir -p {ROOT} && cd {ROOT}
cp /srv/nexus.tar.gz latest-unix.tar.gz && tar -xzf latest-unix.tar.gz && rm latest-unix.tar.gz
useradd --create-home nexus
ln -s nexus-3.71.0-06 nexus
sed -i 's/^-Xm\\(.\\).*/-Xm\\11000m/' nexus/bin/nexus.vmoptions
echo 'run_as_user="nexus"' >nexus/bin/nexus.rc
mkdir -p sonatype-work/nexus3/etc/ssl
keytool -genkeypair -alias cert -keyalg EC -dname CN=hand -storetype PKCS12 -storepass handmade \\
    -keypass handmade -keystore sonatype-work/nexus3/etc/ssl/keystore.jks 2>/dev/null
sed -i 's/>password</>handmade</' nexus/etc/jetty/jetty-https.xml
cat >sonatype-work/nexus3/etc/nexus.properties <<'END'
# Jetty section
application-port=HTTP
application-port-ssl=HTTPS
application-host=127.0.0.1
nexus-args=${{jetty.etc}}/jetty.xml,${{jetty.etc}}/jetty-http.xml,${{jetty.etc}}/jetty-https.xml
ssl.etc=${{karaf.data}}/etc/ssl
nexus.scripts.allowCreation=true
END
chown -R nexus:nexus {ROOT}
cat >/etc/systemd/system/nexus.service <<'END'
[Unit]
Description=nexus service
After=network.target

[Service]
Type=forking
LimitNOFILE=65536
ExecStart={ROOT}/nexus/bin/nexus start
ExecStop={ROOT}/nexus/bin/nexus stop
User=nexus
Restart=on-abort

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now nexus.service
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server set up by hand, with something stored in it and a first login never made."""
    made = Server.on("steps", install_root=ROOT, data_dir=DATA)
    http, https = map(str, made.ports)
    made.host.ssh(MANUAL.replace("HTTPS", https).replace("HTTP", http))
    wait = "curl -sf -o /dev/null --retry 150 --retry-delay 2 --retry-connrefused"
    made.host.ssh(f"{wait} http://127.0.0.1:{http}/service/rest/v1/status/writable")
    first = made.host.read(f"{DATA}/admin.password")
    role = '{"id":"by-hand","name":"by-hand","description":"","privileges":[],"roles":[]}'
    json = ("-H", "Content-Type: application/json", "-d", role)
    assert made.curl("service/rest/v1/security/roles", *json, password=first).endswith(" 200")
    yield made
    made.wipe()


def test_manual_installation_is_adopted_and_never_removed(server: Server) -> None:
    """Each step goes on where the one before it left the server, whose start takes half of the time."""
    another_data_directory_is_refused(server)
    another_version_is_refused_while_it_runs_on(server)
    manual_installation_is_adopted_in_place(server)
    adopted_server_keeps_data(server)
    meaningless_password_file_is_removed(server)
    manual_installation_is_not_removed(server)


def another_data_directory_is_refused(server: Server) -> None:
    server.run("prepare")
    server.run("account", data_dir="/var/lib/elsewhere")
    refused = server.refused("service", data_dir="/var/lib/elsewhere")
    assert refused.endswith(f"keeps its data in {DATA}, not in /var/lib/elsewhere. Set data_dir to {DATA}.")
    server.host.ssh("rm -r /var/lib/elsewhere")


def another_version_is_refused_while_it_runs_on(server: Server) -> None:
    server.host.ssh(f"mkdir -p {ROOT}/nexus-3.72.0-04/bin && cp -p /bin/true {ROOT}/nexus-3.72.0-04/bin/nexus")
    refused = server.refused("service", version="3.72.0-04")
    assert "were last used by Nexus 3.71.0-06, not 3.72.0-04" in refused
    assert server.property("ActiveState") == "active"
    server.host.ssh(f"rm -r {ROOT}/nexus-3.72.0-04")


def manual_installation_is_adopted_in_place(server: Server) -> None:
    before = server.host.ssh(f"cd {ROOT}/nexus-3.71.0-06 && find . -type f -printf '%p %i %T@\\n' | sort").stdout
    assert "set up by hand: taken as it is" in server.run("archive").stdout
    server.run("account")
    keystore = server.host.ssh(f"sha256sum {DATA}/etc/ssl/keystore.jks").stdout
    assert "left the new one beside" in server.run("keystore").stdout
    assert server.host.ssh(f"sha256sum {DATA}/etc/ssl/keystore.jks").stdout == keystore
    done = server.run("service")
    assert "taking over /etc/systemd/system/nexus.service" in done.stdout
    assert "the configured admin password is in force" in done.stdout
    after = server.host.ssh(f"cd {ROOT}/nexus-3.71.0-06 && find . -type f -printf '%p %i %T@\\n' | sort").stdout
    changed = {line.split()[0] for line in set(before.splitlines()) ^ set(after.splitlines())}
    assert changed <= {"./bin/nexus.rc"}


def adopted_server_keeps_data(server: Server) -> None:
    assert server.served() == server.store.fingerprint
    assert '"id" : "by-hand"' in server.curl("service/rest/v1/security/roles/by-hand")
    assert not server.host.exists(f"{DATA}/admin.password")
    properties = server.host.read(f"{DATA}/etc/nexus.properties")
    assert "# Jetty section\n" in properties
    assert "nexus.scripts.allowCreation=true\n" in properties
    assert "${karaf.data}/etc/jetty/jetty-https.xml" in properties
    shown = server.host.ssh("systemd-analyze security --no-pager nexus.service").stdout
    assert re.search(r"exposure level for nexus.service: 1\.[0-5]", shown)
    assert "nothing needs a restart" in server.run("service", "update").stdout


def meaningless_password_file_is_removed(server: Server) -> None:
    server.host.ssh(f"printf 00000000-0000 >{DATA}/admin.password && chown nexus: {DATA}/admin.password")
    assert "it did not hold the password in force" in server.run("service", "update").stdout
    assert not server.host.exists(f"{DATA}/admin.password")
    assert server.curl("service/rest/v1/security/users").endswith("200")


def manual_installation_is_not_removed(server: Server) -> None:
    for step in ("service", "keystore", "archive", "account", "prepare"):
        server.run(step, "delete")
    assert server.host.exists(f"{ROOT}/nexus-3.71.0-06/bin/nexus")
    assert server.host.exists(f"{DATA}/db/nexus.mv.db")
    assert server.host.ssh("id -un nexus").stdout == "nexus\n"
