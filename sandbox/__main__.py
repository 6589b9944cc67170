"""``python -m sandbox``: the sandbox's parts, switched on and off by hand."""

from __future__ import annotations

import argparse
import sys

from sandbox import host


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("part", choices=["host"])
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--name", default="nexus")
    given = parser.parse_args(arguments)
    if given.action == "up":
        h = host.up(given.name)
        print(f"ssh -i {h.folder}/id_ed25519 -p {h.ssh_port} root@{h.address}")
    else:
        host.down(given.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
