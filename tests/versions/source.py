"""A repository with this checkout's files, like a clone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from sandbox.paths import PROJECT
from sandbox.shell import run


def clone_source(folder: Path, wanted: Callable[[str], bool] = bool) -> Path:
    """A repository with the files of this checkout as they are now, those that are ``wanted`` by their path."""
    copy = folder / "nexus-registry"
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT).stdout
    for name in filter(None, listed.split("\0")):
        if wanted(name) and (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    commit_all(copy)
    return copy


def commit_all(folder: Path) -> None:
    """Commit all files of a folder, on the branch main; it becomes a repository if it is none."""
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--allow-empty", "--message", "all"],
    ):
        subprocess.run([*git, *command], cwd=folder, check=True)
