"""States written before 0.1.0 name the provider here."""

from .security.user import UserProvider as UserProvider
