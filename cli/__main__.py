"""``python -m nexus_registry.cli`` is ``nexus-registry``."""

import sys

from .main import main

sys.exit(main())
