"""Faults, injected where they happen: between provider and Nexus, at the engine, on the host."""
