"""One resource of each kind that a server without outside systems can have."""

from typing import Any, cast

import nexus_registry.providers as nexus
import pulumi
from nexus_registry.providers.repositories.base import Repository

config = pulumi.Config()
password = config.require_secret("admin_password")
registry_port = config.require_int("registry_port")

# What every repository of some kind must be given.
NEEDED = {
    "remote_url": "https://example.com/remote",
    "distribution": "bookworm",
    "signing_keypair": config.require("openpgp_key"),
}

selector = nexus.ContentSelector("selector", name="each-selector", expression='format == "raw"')
script = nexus.Script("script", name="each-script", content="log.info('each')")
rule = nexus.RoutingRule("rule", name="each-rule", matchers=["^/secret/.*"])
policy = nexus.CleanupPolicy("policy", name="each-policy", format="raw", criteria_last_downloaded=30)
store = nexus.FileBlobStore("store", name="each-store", path="each-store")
nexus.Email("email", host="mail.example.com", from_address="nexus@example.com")
nexus.SslTrust("trust", certificate=config.require("certificate"))
licence = nexus.Eula("licence", accepted=True)
realm = nexus.RealmActivation("realm", realm="DockerToken")
nexus.AnonymousAccess("anonymous", enabled=True)
nexus.AdminPassword("admin", password=password)

repositories: dict[tuple[str, str], Any] = {}


def repository(cls: Any, **inputs: Any) -> None:
    form, type_ = cls.provider_class.format, cls.provider_class.type
    named = {name: value for name, value in NEEDED.items() if name in cls.declared_properties}
    optional = {name for name, one in cls.declared_properties.items() if not one.required}
    # Core is older than the version that is played: its apt proxies need a distribution.
    given = {name: value for name, value in named.items() if name not in optional or name == "distribution"}
    if form == "alpine" and "signing_keypair" in given:
        given["signing_keypair"] = config.require("rsa_key")
    name = f"each-{form}-{type_}"
    repositories[form, type_] = cls(name, name=name, blob_store_name=store.name, **given, **inputs)


exported = [getattr(nexus, name) for name in nexus.__all__]
kinds = [one for one in exported if isinstance(one, type) and issubclass(one, Repository)]
types = {cls: cast("Any", cls.provider_class).type for cls in kinds}
for cls, type_ in types.items():
    if type_ == "hosted":
        repository(cls, **({"http_port": registry_port} if cls is nexus.DockerHostedRepository else {}))
    elif type_ == "proxy":
        repository(cls, routing_rule_name=rule.name)
for cls, type_ in types.items():
    if type_ == "group":
        form = cast("Any", cls.provider_class).format
        members = [one.name for (other, _), one in repositories.items() if other == form]
        repository(cls, member_names=members)

raw = repositories["raw", "hosted"]
npm = repositories["npm", "hosted"]
images = repositories["docker", "hosted"]
view = nexus.RepositoryViewPrivilege(
    "view", name="each-view", format="npm", repository=npm.name, actions=["READ", "BROWSE"]
)
admin = nexus.RepositoryAdminPrivilege(
    "admin-privilege", name="each-admin", format="raw", repository=raw.name, actions=["READ"]
)
selected = nexus.RepositoryContentSelectorPrivilege(
    "selected",
    name="each-selected",
    content_selector=selector.name,
    format="raw",
    repository=raw.name,
    actions=["READ"],
)
application = nexus.ApplicationPrivilege(
    "application", name="each-application", domain="logging", actions=["READ"]
)
run = nexus.ScriptPrivilege("run", name="each-run", script_name=script.name, actions=["RUN"])
wildcard = nexus.WildcardPrivilege("wildcard", name="each-wildcard", pattern="nexus:metrics:*")
own = [one.name for one in (view, admin, selected, application, run, wildcard)]
role = nexus.Role(
    "role",
    role_id="each-role",
    privileges=[
        *own,
        pulumi.Output.concat("nx-repository-view-npm-", npm.name, "-read"),
        pulumi.Output.concat("nx-repository-view-docker-", images.name, "-read"),
    ],
    incarnations=[npm.incarnation, images.incarnation],
)
user = nexus.User("user", user_id="each-user", password="each-secret-1", roles=[role.role_id])
nexus.RegistryCheck(
    "check",
    login_server=f"localhost:{registry_port}",
    scheme="http",
    username=user.user_id,
    password="each-secret-1",
    anonymous_pull=False,
    opts=pulumi.ResourceOptions(depends_on=[licence, realm, images, role]),
)
pulumi.export("repositories", len(repositories))
