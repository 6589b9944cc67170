"""States written before 0.1.0 name the provider here."""

from .security.admin_password import AdminPasswordProvider as AdminPasswordProvider
