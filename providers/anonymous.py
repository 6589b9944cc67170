"""Where AnonymousAccess was in 0.1.0: its states and programs name it here."""

from .security.anonymous import AnonymousAccess as AnonymousAccess
from .security.anonymous import AnonymousAccessProvider as AnonymousAccessProvider
