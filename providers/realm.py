"""Where RealmActivation was in 0.1.0: its states and programs name it here."""

from .security.realm import RealmActivation as RealmActivation
from .security.realm import RealmActivationProvider as RealmActivationProvider
