"""URNs: ``urn:pulumi:<stack>::<project>::<types, outermost first, with $ between>::<name>``."""

STACK = "pulumi:pulumi:Stack"


def start(urn: str) -> str:
    """Stack and project."""
    return "::".join(urn.split("::")[:2]) + "::"


def qualified(urn: str) -> str:
    """The types of a resource and of what it is in."""
    return urn.split("::")[2]


def urn_of(begin: str, parent: str, kind: str, name: str) -> str:
    """The URN of a resource; ``begin`` is its stack and project."""
    inside = f"{qualified(parent)}$" if parent and qualified(parent) != STACK else ""
    return f"{begin}{inside}{kind}::{name}"
