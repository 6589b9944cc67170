"""A policy pack: ``pulumi preview --policy-pack POLICY --policy-pack-config POLICY/config.json``."""

from nexus_registry.policy import pack

pack()
