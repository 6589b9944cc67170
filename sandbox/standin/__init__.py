"""A stand-in for the docker format of Nexus, in front of the real Core."""
