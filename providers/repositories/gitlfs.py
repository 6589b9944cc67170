"""Git LFS repositories: large files of Git."""

from __future__ import annotations

from .base import HostedRepository


class GitLfsHostedRepository(HostedRepository, format="gitlfs"):
    """Large files of Git that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/gitlfs/hosted``.
    """
