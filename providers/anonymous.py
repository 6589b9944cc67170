"""States written before 0.1.0 name the provider here."""

from .security.anonymous import AnonymousAccessProvider as AnonymousAccessProvider
