"""What ``make bench`` measures with."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from nexus_registry.providers.client import NexusClient

from sandbox.pki import Authority
from tests.bench.proxy import DelayingProxy

from .fake import Response, serve

DELAY = 0.05


def test_proxy_counts_calls_and_delays_each_by_round_trip() -> None:
    authority = Authority.create("Bench")
    with (
        serve(lambda _: Response(200, [{"name": "x" * 200_000}])) as fake,
        DelayingProxy(urlsplit(fake.url).port or 0, authority) as proxy,
    ):
        client = NexusClient({"url": proxy.url, "username": "a", "password": "b", "ca": proxy.ca})
        client.get_list("/v1/repositories")
        proxy.reset()
        proxy.delay = DELAY
        began = time.monotonic()
        for _ in range(3):
            client.put("/v1/repositories/x", {"name": "y" * 200_000})
        assert time.monotonic() - began >= 3 * DELAY
        assert proxy.calls == 3
        assert len(fake.requests) == 4
        assert len(fake.requests[-1].body) > 200_000
