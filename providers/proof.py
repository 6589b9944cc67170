"""Where RegistryCheck was in 0.1.0, as RegistryProof: its states and programs name it here."""

from .registry_check import RegistryCheck as RegistryProof
from .registry_check import RegistryCheckProvider as RegistryProofProvider

__all__ = ["RegistryProof", "RegistryProofProvider"]
