"""The command ``nexus-registry``: a module for each of its commands, listed in :mod:`.main`."""
