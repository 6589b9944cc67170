"""``nexus-registry summary``: turns a preview into Markdown for a review. What a preview says is read in
:mod:`.preview`, and written in :mod:`.markdown`.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone

from .command import DONE, FOUND, CommandError, read_text
from .markdown import LIMITS, render
from .preview import summarize

HELP = "turn a preview into Markdown for a review"
DESCRIPTION = (
    "Turn what `pulumi preview --json` prints into Markdown for a review. Exit status: 0 done, 1 the preview "
    "itself has errors, 2 the input can't be read."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="the preview's JSON; default: standard input"
    )
    parser.add_argument(
        "--format",
        choices=[*LIMITS, "json"],
        default="markdown",
        help="Markdown is cut to what a comment may have: github 65,536 characters, gitlab 1,000,000, markdown "
        "(default) the 150,000 of Azure DevOps; json is not cut",
    )
    parser.add_argument("--name", help="what is previewed, for title and marker; default: <project>/<stack>")


def run(options: argparse.Namespace) -> int:
    """Print the summary and return the exit status."""
    text = read_text("FILE", options.file)
    try:
        found = summarize(json.loads(text), datetime.now(timezone.utc))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise CommandError("FILE: this is not a preview. Give what `pulumi preview --json` prints.") from None
    found.stack = options.name or found.stack
    if options.format == "json":
        sys.stdout.write(f"{json.dumps(found.as_dict())}\n")
    else:
        sys.stdout.write(render(found, LIMITS[options.format]))
    return FOUND if found.errors else DONE
