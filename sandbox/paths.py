"""Where the sandbox keeps what it makes and what it downloads."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout."""

WORK = PROJECT / ".sandbox"
"""Everything a run makes: hosts, stack files, state, logs. Ignored by git, emptied by ``make demo-down``."""

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nexus-registry"
"""What was downloaded or takes long to make again: archives, root file systems. Outside the checkout."""
