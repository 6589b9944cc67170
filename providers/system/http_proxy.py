"""HttpProxy: how Nexus connects to other servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, NexusResource, Prop, prop
from ..rest import RestoredSetting, SettingProvider
from ..schema import integer, port, set_of, text

_PROXIES = {"http": "httpProxy", "https": "httpsProxy"}
_HOST = text(r"[^\s/:]+|\[[0-9a-fA-F:.]+\]", hint="must be a host name or an address")


class HttpProxyProvider(SettingProvider):
    kind = "HTTP proxy"
    setting = "/v1/http"
    setting_id = "http"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for scheme in _PROXIES:
            for name, needed in (
                ("port", "host"),
                ("host", "port"),
                ("username", "host"),
                ("password", "username"),
                ("ntlm_host", "username"),
                ("ntlm_domain", "username"),
            ):
                if inputs.get(f"{scheme}_{name}") is not None and inputs.get(f"{scheme}_{needed}") is None:
                    yield f"{scheme}_{needed}", f"is required with {scheme}_{name}"

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002
        body = {"userAgent": "", "nonProxyHosts": [], **super().to_body(inputs)}
        for name in _PROXIES.values():
            given = body.get(name, {})
            login = {key: value for key, value in given.get("authInfo", {}).items() if value is not None}
            body[name] = {
                "enabled": "host" in given,
                "host": given.get("host", ""),
                "port": str(given.get("port", "")),
                "authInfo": {
                    "enabled": "username" in login,
                    **dict.fromkeys(("username", "password", "ntlmHost", "ntlmDomain"), ""),
                    **login,
                },
            }
        return body

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        on = {key: value for key, value in body.items() if key not in _PROXIES.values() or _enabled(value)}
        found = {name: None for name in self.read_paths if name.partition("_")[0] in _PROXIES}
        return {**found, **{name: None if value == "" else value for name, value in super().from_body(on).items()}}

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Restore what was found, or reset the setting if that had a password, which can't be read."""
        before = properties.get("before") or {}
        if not any(before.get(f"{scheme}_username") for scheme in _PROXIES):
            super().remove(client, properties)
        elif not self.mismatches(self.last_written(properties), self.find(client, properties)):
            client.delete(self.setting)


def _enabled(proxy: Mapping[str, Any] | None) -> bool:
    return bool(proxy and proxy.get("enabled") and proxy.get("host"))


class HttpProxy(RestoredSetting, NexusResource, provider=HttpProxyProvider, since="3.74", edition="pro"):
    """How Nexus connects to other servers: its proxies, timeout and retries. One per server.

    Proxy repositories use it. Passwords can't be read: they are written when they change here. Deletion restores
    the setting found at creation, unless it was changed since; one with a login is reset.

    Source: Nexus REST ``/v1/http``, which the Community Edition lacks (sonatype/nexus-public, issue 738).
    """

    http_host: Prop[str | None] = prop(_HOST, path="httpProxy.host", default=None)
    """Host of the proxy for ``http://``. Default: none."""
    http_port: Prop[int | None] = prop(port, path="httpProxy.port", default=None)
    """Port of the proxy for ``http://``."""
    http_username: Prop[str | None] = prop(text(), path="httpProxy.authInfo.username", default=None)
    """User at the proxy for ``http://``."""
    http_password: Prop[str | None] = prop(text(), path="httpProxy.authInfo.password", default=None, secret=True)
    """Password of ``http_username``."""
    http_ntlm_host: Prop[str | None] = prop(text(), path="httpProxy.authInfo.ntlmHost", default=None)
    """Name of this Nexus's host, for NTLM."""
    http_ntlm_domain: Prop[str | None] = prop(text(), path="httpProxy.authInfo.ntlmDomain", default=None)
    """Windows domain, for NTLM."""
    https_host: Prop[str | None] = prop(_HOST, path="httpsProxy.host", default=None)
    """Host of the proxy for ``https://``. Default: none."""
    https_port: Prop[int | None] = prop(port, path="httpsProxy.port", default=None)
    """Port of the proxy for ``https://``."""
    https_username: Prop[str | None] = prop(text(), path="httpsProxy.authInfo.username", default=None)
    """User at the proxy for ``https://``."""
    https_password: Prop[str | None] = prop(text(), path="httpsProxy.authInfo.password", default=None, secret=True)
    """Password of ``https_username``."""
    https_ntlm_host: Prop[str | None] = prop(text(), path="httpsProxy.authInfo.ntlmHost", default=None)
    """Name of this Nexus's host, for NTLM."""
    https_ntlm_domain: Prop[str | None] = prop(text(), path="httpsProxy.authInfo.ntlmDomain", default=None)
    """Windows domain, for NTLM."""
    non_proxy_hosts: ListProp[str] = prop(set_of(text()), path="nonProxyHosts", default=[])
    """Hosts that are reached directly, ``*`` being any text: ``*.example.com``; a set."""
    user_agent: Prop[str] = prop(text(empty=True), path="userAgent", default="")
    """Text added to Nexus's User-Agent."""
    timeout: Prop[int] = prop(integer(1, 3600), path="timeout", default=20, unit="seconds")
    """How long to wait for a connection or a response, 1 to 3600."""
    retries: Prop[int] = prop(integer(0, 10), path="retries", default=2)
    """How often to try again, 0 to 10."""
