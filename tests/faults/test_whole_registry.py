"""What is done to a whole registry by hand or by mistake, and what the next ``up`` makes of it."""

from __future__ import annotations

import pytest

from sandbox import demo
from sandbox.dev import STEPS, Dev
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


def test_a_new_repair_value_runs_every_step_of_the_host_again_and_undoes_what_was_done_by_hand(
    registry: Dev, docker: DockerClient
) -> None:
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


def test_a_destroy_that_may_not_take_the_images_leaves_them_and_the_next_up_makes_the_rest_again(
    registry: Dev, docker: DockerClient
) -> None:
    registry.settle(anonymous_pull=True, force_destroy=False)
    demo.prove(registry, docker, say=lambda _line: None)
    refused = registry.stack.destroy()
    assert not refused.ok
    assert "holds images" in refused.error
    assert "force_destroy=True" in refused.error
    again = registry.stack.up()
    assert again.ok, again.error
    docker.empty_cache()
    docker.docker("pull", f"{registry.login_server}/hello-world:1")
    assert registry.stack.refresh(expect_no_changes=True).ok


@pytest.mark.full_faults
def test_a_nexus_that_was_told_to_stop_too_early_and_stays_is_ended_and_the_change_goes_on(
    registry: Dev, docker: DockerClient
) -> None:
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
        fault="Nexus does not stop, as when told to in the first seconds of its start",
        first="done",
        second="done",
    )
