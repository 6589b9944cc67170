"""What is done to a whole registry by hand or by mistake, and what the next ``up`` makes of it."""

from __future__ import annotations

import pytest

from sandbox import demo
from sandbox.dev import ARCHIVE_ON_HOST, STEPS, Dev
from sandbox.docker import DockerClient
from sandbox.faults.report import record

UNIT, DATA = "/etc/systemd/system/nexus.service", "/var/lib/nexus"
BY_HAND = f"""
sed -i s/LimitNOFILE=65536/LimitNOFILE=1024/ {UNIT}
sed -i s/^application-port=.*/application-port=9/ {DATA}/etc/nexus.properties
echo nothing >{DATA}/etc/ssl/keystore.jks
ln -sfn nexus-0 /opt/nexus/nexus
systemctl -q disable nexus
systemctl stop nexus
"""
SHOWN = f"""
cat {UNIT} && grep ^application-port= {DATA}/etc/nexus.properties && sha256sum {DATA}/etc/ssl/keystore.jks &&
readlink /opt/nexus/nexus && systemctl is-enabled nexus && systemctl is-active nexus
"""


@pytest.mark.full_faults
def test_repair_runs_every_step_and_reverts_manual_changes(registry: Dev, docker: DockerClient) -> None:
    registry.settle(anonymous_pull=True)
    before = registry.host.ssh(SHOWN).stdout
    registry.host.ssh(BY_HAND)
    assert registry.host.ssh(SHOWN, check=False).stdout != before
    assert registry.settle() == set(), "a remote command has no read"
    assert registry.settle(repair="after somebody's visit") >= {*STEPS}
    assert registry.host.ssh(SHOWN).stdout == before
    demo.prove(registry, docker, say=lambda _line: None)
    record(
        lane="drift",
        subject="host (unit, properties, keystore, symlink, service)",
        operation="up with a new `repair`",
        fault="changed by hand",
        first="`doctor --host` names each",
        second="changed back",
    )


def test_destroy_keeps_images_and_next_up_restores_rest(registry: Dev, docker: DockerClient) -> None:
    registry.settle(anonymous_pull=True, force_destroy=False)
    demo.prove(registry, docker, say=lambda _line: None)
    refused = registry.stack.destroy()
    assert not refused.ok
    assert "holds components" in refused.error
    assert "force_destroy=True" in refused.error
    again = registry.stack.up()
    assert again.ok, again.error
    docker.pull_anew(f"{registry.login_server}/hello-world:1")
    assert registry.stack.refresh(expect_no_changes=True).ok


@pytest.mark.full_faults
def test_nexus_that_ignores_stop_is_killed(registry: Dev, docker: DockerClient) -> None:
    registry.settle(anonymous_pull=True)
    drop_in, stayed = f"/run/systemd/system/{UNIT.rpartition('/')[2]}.d", f"{DATA}/tmp/stayed"
    once = f"[ -e {stayed} ] && exec /opt/nexus/nexus/bin/nexus run; touch {stayed}; trap : TERM; "
    once += "while :; do sleep 1; done"
    stubborn = f"[Service]\nExecStart=\nExecStart=/bin/sh -c '{once}'\n"
    registry.host.ssh(f"mkdir -p {drop_in} && cat >{drop_in}/stubborn.conf", stdin=stubborn)
    registry.host.ssh("systemctl daemon-reload && systemctl restart nexus")
    assert "nexus-service" in registry.settle(heap_mb=1100)
    assert "status=9/KILL" in registry.host.ssh("journalctl -o cat -u nexus").stdout
    registry.host.ssh(f"rm -r {drop_in} {stayed} && systemctl daemon-reload")
    demo.prove(registry, docker, say=lambda _line: None)
    record(
        lane="host",
        subject="service",
        operation="up (update)",
        fault="Nexus does not stop, as when stopped in the first seconds of its start",
        first="done",
        second="done",
    )


def another_build(dev: Dev, build: str, *, starts: bool) -> dict[str, str]:
    """The settings for a newer build: of the one server with H2 that there is, or of one that ends at once."""
    version = f"3.71.0-{build}"
    folder, archive = "/srv/another", f"/srv/nexus-{build}.tar.gz"
    spoil = "true" if starts else rf"printf '#!/bin/sh\nexit 1\n' >nexus-{version}/bin/nexus"
    dev.host.ssh(
        f"rm -rf {folder} && mkdir {folder} && tar xzf {ARCHIVE_ON_HOST} -C {folder} && cd {folder} && "
        f"mv nexus-3.71.0-06 nexus-{version} && {spoil} && "
        f"tar c * | gzip -1 >{archive}"
    )
    digest = dev.host.ssh(f"sha256sum <{archive}").stdout.split()[0]
    return {"version": version, "archive_path": archive, "archive_sha256": digest}


@pytest.mark.full_faults
def test_failed_upgrade_rolls_back_and_next_up_upgrades(registry: Dev, docker: DockerClient) -> None:
    def version() -> str:
        (version,) = (
            one for one in registry.stack.export()["resources"] if one["urn"].endswith("::nexus-version")
        )
        return str(version["outputs"]["version"])

    image = f"{registry.login_server}/hello-world:1"
    registry.settle(anonymous_pull=True)
    demo.prove(registry, docker, say=lambda _line: None)
    with pytest.raises(AssertionError, match=r"3\.71\.0-06 runs again, with its configuration") as failed:
        registry.settle(**another_build(registry, "07", starts=False))
    assert version() == "3.71.0-06"
    docker.pull_anew(image)
    assert {"nexus-archive", "nexus-service", "nexus-version"} <= registry.settle(
        **another_build(registry, "07", starts=True)
    )
    assert version() == "3.71.0-07"
    docker.pull_anew(image)
    registry.stack.set_config("version", "3.71.0-06")
    refused = registry.stack.preview()
    assert not refused.ok
    assert "older" in refused.error
    registry.stack.set_config("version", "3.71.0-07")
    assert registry.settle() == set()
    record(
        lane="host",
        subject="service, with an image in the registry",
        operation="up (another version)",
        fault="the new version ends as soon as it starts",
        first="failed, the old one runs again",
        second="done",
        sentence=str(failed.value),
    )
