"""A server as people leave it who set it up by hand: objects of every kind that Core has, with odd names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.errors import NexusError

from sandbox.pki import Authority

Json = dict[str, Any]

PASSWORD = "hand-made-1"
REMOTE_PASSWORD = "remote-pw-1"
MAIL_PASSWORD = "mail-pw-1"
NAMES = ("class", "import", "None", "a-b", "a_b", "a.b", "2nd", "Files")
"""Keywords, and names that make the same identifier."""
ROLES = (
    *("blank in name", "team@example.com", "bücher", "日本", 'it\'s "quoted"', "a\\b", "{braces}", "trailing."),
    *("class", "pass", "ci team", "ci-team", "ci_team", "ci::team", "a;b?c#d%e&f=g+h"),
)
USERS = ("o'brien", "käthe", "a@b.example", "import", "x-y", "x_y", "{user}", '"quoted"', "日本")
LONG = 'A description that goes on for much longer than a line of a program, with "quotes" and {braces}. ' * 3


class HandMade:
    """What was made on a server over REST; ``remove`` takes it away again."""

    def __init__(self, client: NexusClient, signing_key: str, docker_port: int) -> None:
        self.client, self.signing_key, self.docker_port = client, signing_key, docker_port
        self.made: list[str] = []
        self.kinds: dict[str, int] = {}
        self._before = {
            path: client.get(path) for path in ("/v1/security/anonymous", "/v1/security/realms/active")
        }

    @property
    def count(self) -> int:
        return sum(self.kinds.values())

    def make(self) -> None:
        """Make everything, what is referred to first."""
        for kind, path, delete, bodies in self._objects():
            for body in bodies:
                self.client.post(path, body)
                name = body.get("id") or body.get("userId") or body["name"]
                self.made.append(f"{delete}/{quote(str(name), safe='')}")
                self.kinds[kind] = self.kinds.get(kind, 0) + 1
        for name in ("one.example.com", "two.example.com"):
            pem = Authority.create(name).certificate_pem.encode()
            trusted = self.client.post_raw("/v1/security/ssl/truststore", pem, "application/json")
            self.made.append(f"/v1/security/ssl/truststore/{trusted['id']}")
        self.client.put("/v1/security/anonymous", {**self._before["/v1/security/anonymous"], "enabled": True})
        self.client.put("/v1/security/realms/active", ["NexusAuthenticatingRealm", "DockerToken"])
        mail = {"enabled": True, "host": "mail.example.com", "port": 587, "username": "nexus"}
        more = {"password": MAIL_PASSWORD, "fromAddress": "nexus@example.com", "subjectPrefix": "[nexus]"}
        self.client.put("/v1/email", {**mail, **more, "startTlsEnabled": True})
        self.kinds |= {"SslTrust": 2, "AnonymousAccess": 1, "ActiveRealms": 1, "Email": 1}

    def remove(self) -> None:
        """Take everything away, in the other order; what is gone already is left."""
        for path in reversed(self.made):
            try:
                self.client.delete(path)
            except NexusError as error:
                if error.status != 404:
                    raise
        for path, before in self._before.items():
            self.client.put(path, before)
        self.client.delete("/v1/email")

    def _objects(self) -> Iterator[tuple[str, str, str, list[Json]]]:
        """Kind, where it is made, where it is deleted, bodies."""
        quota = {"softQuota": {"type": "spaceUsedQuota", "limit": 10 * 2**30}}
        stores = [{"name": f"store-{one}", "path": f"hand-made/{one}"} for one in range(1, 6)]
        yield "FileBlobStore", "/v1/blobstores/file", "/v1/blobstores", [*stores[:-1], {**stores[-1], **quota}]
        path = "/internal/cleanup-policies"
        policies = [
            {"name": f"old-{form}-{days}", "format": form, "notes": LONG, "criteriaLastDownloaded": days}
            for form in ("raw", "maven2")
            for days in (7, 30, 365)
        ]
        yield "CleanupPolicy", path, path, policies
        path = "/v1/routing-rules"
        rules = [
            {"name": name, "description": "two\nlines", "mode": "BLOCK", "matchers": [r"^/a\.b/.*", '^/"q"/.*']}
            for name in NAMES
            if name != "None"
        ]
        yield "RoutingRule", path, path, rules
        yield from self._repositories()
        path = "/v1/security/content-selectors"
        selectors = [
            {"name": name, "description": "", "expression": 'format == "raw" and\n  path =^ "/x/"'}
            for name in NAMES
        ]
        yield "ContentSelector", path, path, selectors
        scripts = [
            {"name": f"script-{one}", "content": "log.info('x')\n\treturn \"y\"\n", "type": "groovy"}
            for one in "ab"
        ]
        yield "Script", "/v1/script", "/v1/script", scripts
        yield from self._privileges()
        yield from self._people()

    def _repositories(self) -> Iterator[tuple[str, str, str, list[Json]]]:
        delete = "/v1/repositories"
        store = {"blobStoreName": "store-1", "strictContentTypeValidation": True}
        hosted: Json = {"online": True, "storage": {**store, "writePolicy": "ALLOW"}}
        proxied: Json = {
            "online": True,
            "storage": store,
            "proxy": {"remoteUrl": "https://example.com/x", "contentMaxAge": 60, "metadataMaxAge": 1440},
            "negativeCache": {"enabled": True, "timeToLive": 1440},
            "httpClient": {"blocked": True, "autoBlock": True},
        }
        login = {"type": "username", "username": "somebody", "password": REMOTE_PASSWORD}
        connection = {"retries": 3, "timeout": 30, "useTrustStore": True}
        cleanup = {"cleanup": {"policyNames": ["old-raw-30", "old-raw-7"]}}
        raw = [{"name": f"raw-{name}", **hosted, "raw": {"contentDisposition": "INLINE"}} for name in NAMES[:6]]
        yield "RawHosted", "/v1/repositories/raw/hosted", delete, [*raw, {"name": "import", **hosted, **cleanup}]
        with_login = {**proxied["httpClient"], "authentication": login, "connection": connection}
        remotes = [
            {"name": "remote-1", **proxied, "routingRule": "class"},
            {"name": "remote-2", **proxied, "httpClient": with_login},
        ]
        yield "RawProxy", "/v1/repositories/raw/proxy", delete, remotes
        group = {"online": True, "storage": {**store, "blobStoreName": "default"}}
        members = {"group": {"memberNames": ["remote-2", "raw-class", "remote-1"]}}
        yield "RawGroup", "/v1/repositories/raw/group", delete, [{"name": "all", **group, **members}]
        maven = {"maven": {"versionPolicy": "SNAPSHOT", "layoutPolicy": "PERMISSIVE"}}
        mavens = [{"name": f"jars-{one}", **hosted, **maven} for one in range(4)]
        yield "MavenHosted", "/v1/repositories/maven/hosted", delete, mavens
        yield "MavenProxy", "/v1/repositories/maven/proxy", delete, [{"name": "jars", **proxied, **maven}]
        members = {"group": {"memberNames": ["jars-1", "jars"]}}
        yield "MavenGroup", "/v1/repositories/maven/group", delete, [{"name": "every-jar", **group, **members}]
        apt = {"apt": {"distribution": "bookworm", "flat": False}}
        signed = {**apt, "aptSigning": {"keypair": self.signing_key, "passphrase": ""}}
        yield "AptHosted", "/v1/repositories/apt/hosted", delete, [{"name": "debs", **hosted, **signed}]
        yield "AptProxy", "/v1/repositories/apt/proxy", delete, [{"name": "debian", **proxied, **apt}]
        docker = {"v1Enabled": False, "forceBasicAuth": True, "httpPort": self.docker_port}
        images = {"name": "hand-made-images", **hosted, "docker": docker}
        images["storage"] = {**store, "blobStoreName": "default", "writePolicy": "ALLOW"}
        yield "DockerHosted", "/v1/repositories/docker/hosted", delete, [images]

    def _privileges(self) -> Iterator[tuple[str, str, str, list[Json]]]:
        path = "/v1/security/privileges"
        common: Json = {"description": LONG[:200]}
        raw = {**common, "format": "raw", "actions": ["READ", "BROWSE"]}
        rows: dict[str, list[Json]] = {
            "application": [
                {"name": f"app-{one}", "domain": one, "actions": ["READ"]} for one in ("logging", "tasks")
            ],
            "wildcard": [{"name": f"wild-{one}", "pattern": f"nexus:{one}:*"} for one in NAMES[:4]],
            "repository-view": [{"name": f"view-{one}", "repository": f"raw-{one}", **raw} for one in NAMES[:4]],
            "repository-admin": [{"name": "admin-all", "repository": "*", **raw, "format": "maven2"}],
            "repository-content-selector": [
                {"name": f"part-{one}", "repository": "import", "contentSelector": one, **raw} for one in NAMES[:3]
            ],
            "script": [{"name": "run-a", "scriptName": "script-a", "actions": ["RUN", "READ"]}],
        }
        for kind, bodies in rows.items():
            yield kind, f"{path}/{kind}", path, [{**common, **body} for body in bodies]

    def _people(self) -> Iterator[tuple[str, str, str, list[Json]]]:
        own = ["view-class", "part-import", "run-a", "nx-repository-view-raw-import-read", "nx-all"]
        ids = [*ROLES, *(f"team {one:02}" for one in range(20))]
        roles = [
            {"id": one, "name": f"Role {one}"[:190], "description": LONG[:100], "privileges": own} for one in ids
        ]
        roles += [
            {"id": "all of it", "name": "all of it", "privileges": [], "roles": [*ROLES[:5], "nx-anonymous"]}
        ]
        yield (
            "Role",
            "/v1/security/roles",
            "/v1/security/roles",
            [{"roles": [], "description": "", **one} for one in roles],
        )
        users = [*USERS, *(f"person-{one:02}" for one in range(45))]
        yield (
            "User",
            "/v1/security/users",
            "/v1/security/users",
            [
                {
                    "userId": one,
                    "firstName": "Ä\"b'c",
                    "lastName": one,
                    "emailAddress": f"person{number}@example.com",
                    "password": PASSWORD,
                    "status": "disabled" if number % 5 == 0 else "active",
                    "roles": [ROLES[number % len(ROLES)], "all of it"],
                }
                for number, one in enumerate(users)
            ],
        )
