"""``Authority`` and ``Certificate`` as in authority.py, of resources of pulumi-tls.

Import them from here instead where the CLI can download the plugin: ``pip install pulumi-tls``.
"""

import pulumi
import pulumi_tls as tls

HOURS = 24
YEARS, DAYS, RENEW_BEFORE = 10, 90, 30


class Authority(pulumi.ComponentResource):
    """A root certificate for the stack and its key, which is a secret."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(self, name: str, common_name: str) -> None:
        super().__init__("example:tls:Authority", name)
        within = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=within)
        issued = tls.SelfSignedCert(
            f"{name}-certificate",
            private_key_pem=key.private_key_pem,
            subject={"common_name": common_name},
            validity_period_hours=YEARS * 365 * HOURS,
            is_ca_certificate=True,
            set_subject_key_id=True,
            allowed_uses=["cert_signing", "crl_signing"],
            opts=within,
        )
        self.certificate, self.private_key = issued.cert_pem, key.private_key_pem
        self.register_outputs({})


class Certificate(pulumi.ComponentResource):
    """A certificate of the authority for a host name, and its key. An `up` replaces it when it is due."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(self, name: str, hostname: str, authority: Authority) -> None:
        super().__init__("example:tls:Certificate", name)
        within = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=within)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            subject={"common_name": hostname},
            dns_names=[hostname],
            opts=within,
        )
        issued = tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=authority.private_key,
            ca_cert_pem=authority.certificate,
            validity_period_hours=DAYS * HOURS,
            early_renewal_hours=RENEW_BEFORE * HOURS,
            set_subject_key_id=True,
            allowed_uses=["digital_signature", "server_auth"],
            opts=within,
        )
        self.certificate, self.private_key = issued.cert_pem, key.private_key_pem
        self.register_outputs({})
