"""States written before 0.1.0 name the provider here."""

from .system.eula import EulaProvider as EulaProvider
