"""NexusServer: a bare Linux host becomes a running, HTTPS, bootstrapped Nexus Repository 3."""

from __future__ import annotations

from collections.abc import Mapping
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
from .server_arguments import NexusServerArgs, privileged_ports
from .validation import require_none, server_problems, valid_keystore_password


class NexusServer(pulumi.ComponentResource):
    """Nexus Repository 3 on a Linux host with systemd, over HTTPS, administered by the stack's password.

    Pulumi type ``nexus-registry:index:NexusServer``. It creates HostReachable (without an SSH proxy); a Keystore
    (unless the certificate is on the host); the host steps ``prepare``, ``account``, ``archive``, ``keystore`` and
    ``service``; InstalledVersion; and what exists once per server: AdminPassword, Eula (when accepted),
    RealmActivation (the docker realm) and AnonymousAccess. A version below 3.26 has no REST API for the last four.

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
