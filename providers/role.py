"""Where Role was in 0.1.0: its states and programs name it here."""

from .security.role import Role as Role
from .security.role import RoleProvider as RoleProvider
