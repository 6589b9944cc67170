"""A place to try the project without owning anything: a Linux host, a Nexus, an engine, a Docker client.

Used by ``make demo`` and by the tests; never shipped.
"""
