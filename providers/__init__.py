"""What Pulumi tracks inside Nexus: one module per concept, each readable as a data sheet."""
