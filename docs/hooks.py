"""What mkdocs does not do by itself: diagrams without another server, charts, and recorded sessions.

In a page, ``<!-- chart: measured against goal -->`` is replaced by the chart of the page's table,
``<!-- chart: seconds of stacks -->`` by that of the bench's table, and a paragraph
that is a link to a ``.cast`` file by a player and the text of the session.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

from docs.charts import measured_against_goal, seconds_of_stacks
from docs.scripts import MERMAID, PLAYER, PLAYER_STYLE, Script, fetch

FOLDER = "assets/npm"
CHART = "<!-- chart: measured against goal -->"
STACKS = "<!-- chart: seconds of stacks -->"
_CAST = re.compile(r'<p><a href="([^"]+\.cast)">(.+?)</a></p>')
_DIAGRAM = re.compile(r'<pre class="mermaid">.*?</pre>', re.DOTALL)
_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
_CODE = re.compile(r"`[^`]*`")
"""In a table GitHub wants ``|`` escaped also in code, and mkdocs shows the escape."""
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
"""Colours and movements of the cursor."""
_scripts: dict[Script, Path] = {}


def transcript(cast: str) -> str:
    """What a cast shows, as plain text."""
    events = [json.loads(line) for line in cast.splitlines()[1:]]
    return _CODES.sub("", "".join(data for _, kind, data in events if kind == "o"))


def on_pre_build(**_: Any) -> None:
    """Download what is missing."""
    _scripts.update(fetch())


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Draw charts from the page's own figures, and write tables as mkdocs reads them."""
    if CHART in markdown:
        markdown = markdown.replace(CHART, measured_against_goal(markdown))
    if STACKS in markdown:
        markdown = markdown.replace(STACKS, seconds_of_stacks(markdown))
    return _ROW.sub(lambda row: _CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), markdown)


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Put recorded sessions in the place of links to them."""

    def session(link: re.Match[str]) -> str:
        cast = (Path(page.file.abs_src_path).parent / link[1]).read_text()
        return player(cast, link[1], link[2], playable=PLAYER in _scripts and PLAYER_STYLE in _scripts)

    return _DIAGRAM.sub(r'<div class="picture">\g<0></div>', _CAST.sub(session, content))


def player(cast: str, href: str, title: str, *, playable: bool) -> str:
    """A session as HTML: its text, and before it a player if there is one."""
    text = (
        f"<details{'' if playable else ' open'}><summary>{title} as text</summary>\n"
        f'<pre class="session"><code>{html.escape(transcript(cast))}</code></pre>\n'
        f'<p><a href="{href}">asciinema file</a></p></details>'
    )
    if not playable:
        return text
    # The cast stands in the page: a browser reads no other file for a page that was opened from a disk.
    data = json.dumps(cast).replace("</", "<\\/")
    place = f'<div class="picture"><div class="cast"></div></div>\n<script type="application/json">{data}</script>'
    return f"{place}\n{text}"


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Name the scripts in the pages that need them."""
    up = "../" * page.url.count("/")
    base = up + FOLDER
    tags = []
    if MERMAID in _scripts and 'class="mermaid"' in output:
        tags.append(f'<script defer src="{base}/{MERMAID.name}"></script>')
        tags.append(f'<script defer src="{up}diagrams.js"></script>')
    if '<div class="cast"' in output:
        tags.append(f'<link rel="stylesheet" href="{base}/{PLAYER_STYLE.name}">')
        tags.append(f'<script defer src="{base}/{PLAYER.name}"></script>')
        tags.append(f'<script defer src="{up}session.js"></script>')
    return output.replace("</head>", "".join(tags) + "</head>", 1)


def on_post_build(config: Any) -> None:
    """Copy the scripts into the site."""
    folder = Path(config["site_dir"]) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for script, path in _scripts.items():
        shutil.copy(path, folder / script.name)
