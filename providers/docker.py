"""Where DockerHostedRepository was in 0.1.0: its states and programs name it here."""

from .repositories.docker import DockerHostedRepository as DockerHostedRepository
from .repositories.docker import DockerHostedRepositoryProvider as DockerHostedRepositoryProvider
