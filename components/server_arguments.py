"""The arguments of NexusServer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_command import remote


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
        java_package: package with the Java, instead of the default one. Its Java is used also where the host has
            another one of that version; of a package that only depends on others, any. Up to 3.77: newer archives
            contain Java.
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


def privileged_ports(args: NexusServerArgs) -> bool:
    """Whether Nexus listens at ports below 1024."""
    return args.privileged_ports or min(args.http_port, args.https_port) < 1024
