"""Commands beside ``pulumi``: ``nexus-registry doctor --host`` and ``nexus-registry export``."""
