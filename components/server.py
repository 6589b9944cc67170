"""NexusServer: a bare Linux host becomes a running, HTTPS, bootstrapped Nexus Repository 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from pulumi_command import remote

from ..providers.address import with_port
from ..providers.client import Connection
from ..providers.compat import REST_SINCE, archive_url, java_major, parse
from ..providers.keystore import Keystore
from ..providers.registry_check import digest
from ..providers.security.admin_password import AdminPassword
from ..providers.security.anonymous import AnonymousAccess
from ..providers.security.realm import RealmActivation
from ..providers.system.eula import Eula
from .host.reachable import HostReachable
from .host.steps import host_step
from .host.version import InstalledVersion
from .same_host import refuse_shared
from .validation import require_none, server_problems, valid_keystore_password


@dataclass(kw_only=True)
class NexusServerArgs:
    """The arguments of a NexusServer.

    Args:
        ssh: the SSH connection to the host. Without ``host_key`` the identity of the host is not verified. A user
            other than ``root`` needs sudo without a password.
        version: with the build, such as ``3.71.0-06``.
        archive_sha256: SHA-256 of the archive, from the vendor, for this file.
        admin_password: password of the account ``admin``.
        private_key, certificate: key and certificate of the server, in PEM. Give these, or the two paths.
        certificate_path, private_key_path: files on the host that hold them in PEM, the certificate followed by
            its intermediates. They are read on the host when the steps run and never leave it. After a renewal,
            a new value of ``repair`` loads the certificate. Requires openssl on the host.
        keystore_password: protects the keystore on the host; at least 6 characters.
        hostname: the name that clients use; the certificate must contain it. Default: the host of ``ssh``.
        url: address of the server, if a reverse proxy is in front of it. Default: hostname,
            ``https_port`` and ``context_path``.
        chain: intermediate certificates in PEM.
        private_key_passphrase: passphrase of an encrypted key.
        ca: the authority of the certificate at ``url`` in PEM, where no public one signed it.
        keystore_format: ``pkcs12`` or ``jks``.
        keystore_alias: the entry's name in the keystore.
        renew_before: days before the certificate's end from which ``preview`` and ``up`` warn; 0: never.
        current_admin_password: the password of ``admin`` that is in force, on a server that was set up by hand or
            where it was changed by hand.
        archive_url: URL of the archive. Default: the URL of the vendor for version and architecture.
        archive_username, archive_password: credentials for ``archive_url``; both secret. They are passed to curl
            by standard input.
        archive_path: an archive on the host, instead of a download.
        architecture: architecture of the archive, ``x86_64`` or ``aarch64``.
        java_home: a Java on the host. Default: the Java that the version requires is installed.
        java_package: package with the Java, instead of the default one. Up to 3.77: newer archives contain Java.
        http_port, https_port: ports of Nexus.
        address: IP address on which Nexus listens.
        privileged_ports: allow ports below 1024, such as 443 of a DockerRegistry; requires systemd 229.
            Implied by an ``http_port`` or ``https_port`` below 1024. The unit gets CAP_NET_BIND_SERVICE.
        context_path: context path of Nexus, such as ``/nexus``.
        heap_mb: Java heap in MB, at most two thirds of the host's memory. The vendor's minimum is 2703.
        min_disk_mb: free disk that the install and data directories must have, in MB.
        properties: additional entries of ``nexus.properties``; no secrets, because they are not encrypted. A
            database connection belongs into ``<data_dir>/etc/fabric/nexus-store.properties`` on the host.
        install_root: directory of the unpacked versions; ``nexus`` in it links to the current one. It must not be
            shared.
        data_dir: data directory of Nexus.
        user, group: account of the service; created if it does not exist. A change gives the data directory to the
            new account, and what is outside of it and belonged to the former one: what links in it lead to, and
            the directories, at most four levels below /, of an account that only this server used. Others, such
            as a file blob store elsewhere, must be given by hand.
        unit: name of the systemd unit.
        anonymous_access: enable anonymous access.
        accept_eula: True accepts the licence of the Community Edition, which versions from 3.77 require.
        connect_timeout: seconds to wait for the SSH server of the host.
        lock_timeout: seconds that a host step waits for another step on the same host.
        start_timeout: seconds that a start may take.
        purge_data: ``destroy`` removes the data directory with every image in it.
        open_firewall: open ``https_port`` and the ports of the registries in the default zone of firewalld, and
            close them on destroy. Without it the steps report which ports are closed.
        repair: a new value makes ``up`` run every host step again, which repairs changes by hand. The value itself
            has no meaning.
    """

    ssh: remote.ConnectionArgs
    version: str
    archive_sha256: str
    admin_password: pulumi.Input[str]
    keystore_password: pulumi.Input[str]
    private_key: pulumi.Input[str] | None = None
    certificate: pulumi.Input[str] | None = None
    private_key_path: str | None = None
    certificate_path: str | None = None
    hostname: str | None = None
    url: str | None = None
    chain: pulumi.Input[str] | None = None
    private_key_passphrase: pulumi.Input[str] | None = None
    ca: pulumi.Input[str] | None = None
    keystore_format: str = "pkcs12"
    keystore_alias: str = "cert"
    renew_before: int = 30
    current_admin_password: pulumi.Input[str] | None = None
    archive_url: str | None = None
    archive_username: pulumi.Input[str] | None = None
    archive_password: pulumi.Input[str] | None = None
    archive_path: pulumi.Input[str] | None = None
    architecture: str = "x86_64"
    java_home: str | None = None
    java_package: str | None = None
    http_port: int = 8081
    https_port: int = 8443
    address: str = "0.0.0.0"  # noqa: S104 - a registry is there to be reached
    privileged_ports: bool = False
    context_path: str = "/"
    heap_mb: int = 2703
    min_disk_mb: int = 4096
    properties: Mapping[str, str] = field(default_factory=dict)
    install_root: str = "/opt/nexus"
    data_dir: str = "/var/lib/nexus"
    user: str = "nexus"
    group: str = "nexus"
    unit: str = "nexus"
    anonymous_access: bool = False
    accept_eula: bool = False
    connect_timeout: int = 300
    lock_timeout: int = 600
    start_timeout: int = 600
    purge_data: bool = False
    open_firewall: bool = False
    repair: pulumi.Input[str] = ""


class NexusServer(pulumi.ComponentResource):
    """Nexus Repository 3 on a Linux host with systemd, over HTTPS, administered by the stack's password.

    Pulumi type ``nexus-registry:index:NexusServer``. It creates the host steps ``prepare``, ``account``,
    ``archive``, ``keystore`` and ``service``; the Keystore; and what exists once per server: AdminPassword, Eula
    (when accepted), RealmActivation (the docker realm) and AnonymousAccess. A version below 3.26 has no REST API
    for them and gets the host steps alone.

    Outputs:
        url: address of the server, from the arguments.
        connection: for every Nexus resource; secret.
        version, data_dir: as given.
        certificate_fingerprint, certificate_not_after: of the certificate in use; empty where it is read on the
            host.

    Errors: InvalidArguments lists every wrong argument before anything is done; a host step fails with
    one sentence that contains the remedy.
    """

    url: pulumi.Output[str]
    connection: pulumi.Output[Connection]
    version: pulumi.Output[str]
    data_dir: pulumi.Output[str]
    certificate_fingerprint: pulumi.Output[str]
    certificate_not_after: pulumi.Output[str]

    def __init__(self, name: str, args: NexusServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        require_none(f"NexusServer {name!r}", server_problems(args))
        super().__init__("nexus-registry:index:NexusServer", name, None, opts)
        self.name = name
        self.args = args
        refuse_shared(self)
        if args.ssh.host_key is None:
            pulumi.log.warn(
                "ssh: has no host_key, so the host's identity is not verified. Give the key of its SSH server",
                resource=self,
            )
        self.hostname = (args.hostname or str(args.ssh.host)).strip("[]")
        self.ports = {args.http_port: "http_port of Nexus", args.https_port: "https_port of Nexus"}
        """The ports in use on this host, each with its user."""
        self.accounts: dict[str, str] = {}
        """The accounts that registries of this server declare, each with the name of the component."""
        context = args.context_path.strip("/")
        place = with_port(self.hostname, args.https_port)
        url = args.url or f"https://{place}{f'/{context}' if context else ''}"
        self.url = pulumi.Output.from_input(url)
        known = {"url": url, "username": "admin", "password": args.admin_password, "version": args.version}
        authority = {} if args.ca is None else {"ca": args.ca}
        self.connection = cast(
            "pulumi.Output[Connection]", pulumi.Output.secret(pulumi.Output.all(**known, **authority))
        )
        self.version = pulumi.Output.from_input(args.version)
        self.data_dir = pulumi.Output.from_input(args.data_dir)

        keystore = self._keystore()
        self.certificate_fingerprint = keystore.fingerprint if keystore else pulumi.Output.from_input("")
        self.certificate_not_after = keystore.not_after if keystore else pulumi.Output.from_input("")
        self.facts = self._restart_facts(keystore)
        service = self._host_steps(keystore)
        h2 = args.properties.get("nexus.datastore.enabled") == "true"
        InstalledVersion(f"{name}-version", version=args.version, h2=h2, opts=self._after(service))
        self.ready: list[pulumi.Resource] = [service]
        """The resources that must exist before objects inside Nexus."""
        if parse(args.version) >= REST_SINCE:
            self._once_per_server(service)
        self.register_outputs(
            {
                "url": self.url,
                "connection": self.connection,
                "version": self.version,
                "data_dir": self.data_dir,
                "certificate_fingerprint": self.certificate_fingerprint,
                "certificate_not_after": self.certificate_not_after,
            }
        )

    def step(
        self,
        step: str,
        name: str,
        arguments: Mapping[str, pulumi.Input[Any] | None],
        *,
        secrets: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions,
    ) -> remote.Command:
        """A host step of this server or of a registry on it."""
        ssh = self.args.ssh
        user = getattr(ssh, "user", None)
        return host_step(
            step,
            name,
            ssh=ssh,
            sudo=user not in (None, "root"),
            arguments={
                "unit": self.args.unit,
                **arguments,
                "lock_timeout": None if self.args.lock_timeout == 600 else self.args.lock_timeout,
                "repair": self.args.repair or None,
                "urn": None if step == "port" else self._urn(),
            },
            secrets=secrets or {},
            opts=opts,
        )

    def _urn(self) -> pulumi.Output[str]:
        """The URN of the component without a dependency on it, which would be one on the steps themselves."""
        return pulumi.Output(set(), self.urn.future(), self.urn.is_known()).apply(str)

    def _keystore(self) -> Keystore | None:
        args = self.args
        if args.private_key is None or args.certificate is None:
            return None
        return Keystore(
            f"{self.name}-keystore",
            private_key=args.private_key,
            certificate=args.certificate,
            chain=args.chain,
            private_key_passphrase=args.private_key_passphrase,
            password=args.keystore_password,
            format=args.keystore_format,
            alias=args.keystore_alias,
            nexus_version=args.version,
            hostname=self.hostname,
            renew_before=args.renew_before,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _restart_facts(self, keystore: Keystore | None) -> pulumi.Output[str]:
        """A digest of every input that is no secret and may require a restart."""
        args = self.args
        plain = {
            name: getattr(args, name)
            for name in (
                "version", "archive_sha256", "java_home", "java_package", "http_port", "https_port", "address",
                "context_path", "heap_mb", "properties", "install_root", "data_dir", "user", "group", "unit",
                "keystore_format", "keystore_alias",
            )
        }  # fmt: skip
        if keystore is None:
            paths = [args.certificate_path, args.private_key_path]
            return pulumi.Output.from_input(digest({**plain, "certificate": paths}))
        public = pulumi.Output.all(keystore.fingerprint, args.certificate, args.chain)
        return public.apply(lambda known: digest({**plain, "certificate": known}))

    def _reachable(self) -> list[pulumi.Resource]:
        """The check of the SSH server; none behind a proxy, where only SSH itself can connect."""
        ssh = self.args.ssh
        if getattr(ssh, "proxy", None) is not None:
            return []
        return [
            HostReachable(
                f"{self.name}-host",
                host=ssh.host,
                port=getattr(ssh, "port", None) or 22,
                timeout=self.args.connect_timeout,
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]

    def _host_steps(self, keystore: Keystore | None) -> remote.Command:
        args = self.args
        at = {"install_root": args.install_root, "data_dir": args.data_dir}
        account = {"user": args.user, "group": args.group}
        prepare = self.step(
            "prepare",
            f"{self.name}-prepare",
            {
                **at,
                **account,
                "heap_mb": args.heap_mb,
                "min_disk_mb": args.min_disk_mb,
                "java_major": None if args.java_home else java_major(args.version),
                "java_home": args.java_home,
                "java_package": args.java_package,
                "https_port": args.https_port,
                "open_firewall": args.open_firewall or None,
            },
            opts=self._after(*self._reachable()),
        )
        made = self.step(
            "account",
            f"{self.name}-account",
            {**account, "data_dir": args.data_dir, "purge_data": "yes" if args.purge_data else "no"},
            opts=self._after(prepare),
        )
        source: dict[str, pulumi.Input[str] | None] = (
            {"path": args.archive_path} if args.archive_path else {"url": args.archive_url}
        )
        if not any(source.values()):
            source = {"url": archive_url(args.version, args.architecture)}
        login: dict[str, pulumi.Input[str]] = {}
        if args.archive_username is not None and args.archive_password is not None:
            login = {"ARCHIVE_USERNAME": args.archive_username, "ARCHIVE_PASSWORD": args.archive_password}
        unpacked = self.step(
            "archive",
            f"{self.name}-archive",
            {"version": args.version, "install_root": args.install_root, "sha256": args.archive_sha256, **source},
            secrets=login,
            opts=self._after(prepare, made),
        )
        certificate, content = self._certificate(keystore)
        stored = self.step(
            "keystore",
            f"{self.name}-keystore-file",
            {**at, **account, "version": args.version, **certificate},
            secrets={"KEYSTORE_PASSWORD": args.keystore_password, **content},
            opts=self._after(made, unpacked),
        )
        return self.step(
            "service",
            f"{self.name}-service",
            {
                **at,
                **account,
                "version": args.version,
                "http_port": args.http_port,
                "https_port": args.https_port,
                "address": args.address,
                "privileged_ports": privileged_ports(args) or None,
                "heap_mb": args.heap_mb,
                "context_path": args.context_path,
                "java_home": args.java_home,
                "property": [f"{key}={value}" for key, value in sorted(args.properties.items())],
                "fingerprint": certificate["fingerprint"],
                "digest": self.facts,
                "start_timeout": args.start_timeout,
            },
            secrets={"ADMIN_PASSWORD": args.admin_password, "KEYSTORE_PASSWORD": args.keystore_password},
            opts=self._after(stored),
        )

    def _certificate(
        self, keystore: Keystore | None
    ) -> tuple[dict[str, pulumi.Input[Any]], dict[str, pulumi.Input[str]]]:
        """Flags and secrets of the keystore step: the keystore itself, or where on the host its parts are."""
        args = self.args
        if keystore is not None:
            return {"fingerprint": keystore.fingerprint}, {"KEYSTORE_BASE64": keystore.content}
        flags = {
            "fingerprint": "host",
            "certificate_path": args.certificate_path,
            "private_key_path": args.private_key_path,
            "hostname": self.hostname,
            "alias": args.keystore_alias,
        }
        return cast("dict[str, pulumi.Input[Any]]", flags), {
            "PRIVATE_KEY_PASSPHRASE": "" if args.private_key_passphrase is None else args.private_key_passphrase,
            "KEYSTORE_PASSWORD": pulumi.Output.from_input(args.keystore_password).apply(valid_keystore_password),
        }

    def _once_per_server(self, service: remote.Command) -> None:
        args = self.args
        password = AdminPassword(
            f"{self.name}-admin-password",
            password=args.admin_password,
            current_password=args.current_admin_password,
            connection=self.connection,
            opts=self._after(service),
        )
        self.ready.append(password)
        if args.accept_eula:
            accepted = Eula(
                f"{self.name}-eula", accepted=True, connection=self.connection, opts=self._after(password)
            )
            self.ready.append(accepted)
        self.ready += [
            RealmActivation(
                f"{self.name}-docker-realm", connection=self.connection, opts=self._after(*self.ready)
            ),
            AnonymousAccess(
                f"{self.name}-anonymous",
                enabled=args.anonymous_access,
                connection=self.connection,
                opts=self._after(*self.ready),
            ),
        ]

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))


def privileged_ports(args: NexusServerArgs) -> bool:
    """Whether Nexus listens at ports below 1024."""
    return args.privileged_ports or min(args.http_port, args.https_port) < 1024
