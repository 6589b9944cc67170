"""A registry at 443 is named without a port, and its service has no other right of root."""

from __future__ import annotations

import re

from sandbox.dev import passing_dev_stack
from sandbox.docker import DockerClient

NET_BIND_SERVICE = 1 << 10


def test_docker_reaches_registry_at_443_without_port() -> None:
    with passing_dev_stack("privileged", engine="sandbox") as dev:
        dev.stack.set_config("registry_https_port", 443)
        done = dev.stack.up()
        assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
        assert dev.stack.outputs()["login_server"] == "localhost"
        client = DockerClient(dev.folder / "docker").start()
        try:
            client.trust("localhost", dev.authority.certificate_pem)
            image = client.make_image("localhost/hello:1")
            config = client.login("localhost", "ci", dev.facts["ci_password"])
            client.docker("push", "localhost/hello:1", config=config)
            client.empty_cache()
            client.docker("pull", "localhost/hello:1", config=config)
            pulled = client.docker("image", "inspect", "--format", "{{.Id}}", "localhost/hello:1")
            assert pulled.stdout.strip() == image
        finally:
            client.stop()
        shown = dev.host.ssh("systemd-analyze security --no-pager nexus.service").stdout
        score = re.search(r"exposure level for nexus.service: ([0-9.]+)", shown)
        assert score
        print(f"systemd-analyze security: {score[1]}")  # noqa: T201
        assert float(score[1]) <= 2.0
        status = dev.host.ssh("cat /proc/$(systemctl show --value -p MainPID nexus)/status").stdout
        for kind in ("Eff", "Bnd", "Amb"):
            capabilities = re.search(rf"^Cap{kind}:\s*([0-9a-f]+)$", status, re.MULTILINE)
            assert capabilities
            assert int(capabilities[1], 16) == NET_BIND_SERVICE, kind
