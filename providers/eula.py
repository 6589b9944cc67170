"""Where Eula was in 0.1.0: its states and programs name it here."""

from .system.eula import Eula as Eula
from .system.eula import EulaProvider as EulaProvider
