"""A keystore from a certificate that is issued in the same stack, or from one that the configuration gives."""

import pulumi
from issuing import Issued  # type: ignore[import-not-found]  # beside this file, where the program runs
from nexus_registry.providers.keystore import Keystore

config = pulumi.Config()
private_key: pulumi.Input[str]
if config.get("certificate"):
    private_key, certificate = config.require("private_key"), config.require("certificate")
else:
    issued = Issued("issued", config.require("authority"))
    private_key, certificate = issued.private_key, issued.certificate
keystore = Keystore(
    "keystore", private_key=private_key, certificate=certificate, password="s3cr3t-word", hostname="localhost"
)
pulumi.export("not_after", keystore.not_after)
pulumi.export("fingerprint", keystore.fingerprint)
