"""States written before 0.1.0 name the provider here."""

from .security.role import RoleProvider as RoleProvider
