"""Where AdminPassword was in 0.1.0: its states and programs name it here."""

from .security.admin_password import AdminPassword as AdminPassword
from .security.admin_password import AdminPasswordProvider as AdminPasswordProvider
