"""Where User was in 0.1.0: its states and programs name it here."""

from .security.user import User as User
from .security.user import UserProvider as UserProvider
