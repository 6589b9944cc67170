"""States written before 0.1.0 name the provider here."""

from .security.realm import RealmActivationProvider as RealmActivationProvider
