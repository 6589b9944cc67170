"""States written before 0.1.0 name the provider here."""

from .repositories.docker import DockerHostedRepositoryProvider as DockerHostedRepositoryProvider
