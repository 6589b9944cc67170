"""The site in a real browser: no error, nothing from another server, and nothing wider than a small screen.

With ``SCREENSHOTS=FOLDER`` every page that is opened leaves a picture there.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from docs.scripts import MERMAID, PLAYER
from sandbox.paths import PROJECT, WORK

from .browser import browser

SITE = WORK / "site"
PAGES = {
    "index.html": (MERMAID.name, PLAYER.name),
    "performance.html": (),
    "how-to/upgrades.html": (MERMAID.name,),
    "architecture.html": (MERMAID.name,),
    "comparison.html": (),
    "coverage.html": (),
    "reference/repositories/DockerHostedRepository.html": (),
}
"""Pages, and the scripts that each needs."""
DRAWN = "!document.querySelector('pre.mermaid') && !document.querySelector('.cast:empty')"
FACTS = """({
    page: document.documentElement.scrollWidth, screen: innerWidth, scheme: document.body.dataset.mdColorScheme,
    escaped: [...document.querySelectorAll('td code')].map(one => one.textContent)
        .filter(one => one.includes('\\\\|')),
    charts: document.querySelectorAll('.chart rect').length,
    wide: [...document.querySelectorAll('.md-content *')]
        .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
        .filter(one => !one.closest('.md-typeset__scrollwrap, .picture, pre, nav'))
        .map(one => one.outerHTML.slice(0, 200)),
})"""
pytestmark = pytest.mark.xdist_group("site")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, which is built if a page is newer."""
    built = SITE / "index.html"
    sources = [PROJECT / "mkdocs.yml", *(PROJECT / "docs").glob("**/*.*")]
    pages = [one for one in sources if not one.is_relative_to(PROJECT / "docs/reference") and one.suffix != ".pyc"]
    if not built.exists() or built.stat().st_mtime < max(page.stat().st_mtime for page in pages):
        subprocess.run(["make", "docs"], cwd=PROJECT, check=True, timeout=1200)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


SCHEMES = {"light": "default", "dark": "slate"}
"""Of the browser, and what the site calls each."""


def require_readable(site: str, profile: Path, scheme: str, cases: Iterable[tuple[str, int]]) -> None:
    """Each page opens without an error, loads nothing from elsewhere, and is no wider than the screen."""
    pictures = os.environ.get("SCREENSHOTS")

    async def look() -> None:
        async with browser(profile, scheme) as tab:
            for page, width in cases:
                opened = await tab.open(f"{site}{page}", width=width, until=DRAWN, facts=FACTS)
                case = f"{page} {width} {scheme}"
                if pictures:
                    file = f"{page.removesuffix('.html').replace('/', '-')}-{width}-{scheme}.png"
                    await tab.picture(Path(pictures) / file)
                assert opened.errors == [], case
                foreign = [one for one in opened.addresses if not one.startswith((site, "data:", "blob:"))]
                assert foreign == [], case
                loaded = {one.rpartition("/")[2] for one in opened.addresses}
                assert loaded >= set(PAGES.get(page, ())), case
                assert opened.facts["scheme"] == SCHEMES[scheme], case
                assert opened.facts["page"] <= opened.facts["screen"], case
                assert (opened.facts["wide"], opened.facts["escaped"]) == ([], []), case
                assert (opened.facts["charts"] > 0) == (page == "performance.html"), case

    asyncio.run(look())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pages_have_no_error_and_fit_a_small_screen(site: str, tmp_path: Path, scheme: str) -> None:
    widths = (400, 1280) if os.environ.get("SCREENSHOTS") else (400,)
    require_readable(site, tmp_path / "profile", scheme, itertools.product(PAGES, widths))


@pytest.mark.nightly
def test_every_page_has_no_error_and_fits_a_small_screen(site: str, tmp_path: Path) -> None:
    pages = sorted(str(page.relative_to(SITE)) for page in SITE.glob("**/*.html"))
    assert len(pages) > len(PAGES)
    require_readable(site, tmp_path / "profile", "light", itertools.product(pages, (400,)))
