"""The few commands that a person runs beside ``pulumi``: ``nexus-registry doctor --host``."""
