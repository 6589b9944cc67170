"""Hugging Face repositories: models and data sets of Hugging Face."""

from __future__ import annotations

from .base import ProxyRepository


class HuggingFaceProxyRepository(ProxyRepository, format="huggingface", since="3.75"):
    """Models and data sets of Hugging Face of a remote repository (``https://huggingface.co``). It caches what
    clients request.

    Source: Nexus REST ``/v1/repositories/huggingface/proxy``.
    """
