"""The pictures of the site agree with their data."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from docs import charts, graph, hooks, record, scripts
from sandbox.paths import PROJECT

PERFORMANCE = (PROJECT / "docs/performance.md").read_text()
CAST = record.CAST.read_text()
EVENTS = [json.loads(line) for line in CAST.splitlines()[1:]]


@pytest.mark.parametrize(
    ("cell", "figure"),
    [
        ("1 min 51 s, 78 s of it the demo", ("1 min 51 s", 111)),
        ("4 min", ("4 min", 240)),
        ("1.5 s", ("1.5 s", 1.5)),
        ("2 h 3 min", ("2 h 3 min", 7380)),
        ("1,024 MB at most in 50 `up`s", ("1,024 MB", 1024)),
        ("15 min, not met", ("15 min", 900)),
        ("1.1", ("1.1", 1.1)),
        ("3 steps", ("3", 3)),
        ("the tests take 39 min", None),
        ("", None),
    ],
)
def test_amount_is_figure_that_cell_begins_with(cell: str, figure: tuple[str, float] | None) -> None:
    assert charts.amount(cell) == figure


def test_chart_draws_share_of_goal() -> None:
    page = (
        "| figure | goal | measured |\n|---|---|---|\n| `a`: b | 2 s | 1 s |\n| c | 1 min | 4 min |\n| d | | 1 s |"
    )
    drawn = charts.measured_against_goal(page)
    assert re.findall(r'class="(met|missed)"[^/]*width="([\d.]+)%"', drawn) == [
        ("met", "12.5"),
        ("missed", "100.0"),
    ]
    assert set(re.findall(r'x1="([\d.]+)%"', drawn)) == {"25.0"}
    assert "<code>a</code></span>" in drawn


def test_chart_of_performance_says_what_its_table_says() -> None:
    drawn = {bar.label: bar for bar in charts.bars(PERFORMANCE)}
    figures = {row["figure"].partition(": ")[0]: row for row in charts.rows(PERFORMANCE) if "figure" in row}
    assert drawn.keys() <= figures.keys()
    assert hooks.CHART in PERFORMANCE
    for label, row in figures.items():
        if label in drawn:
            assert (drawn[label].ratio > 1) == ("not met" in row["goal"]), label
        elif charts.amount(row["goal"]):
            assert not charts.amount(row["measured"]) or not charts.amount(row["goal"])[1], label  # type: ignore[index]


def test_chart_of_stacks_draws_rows_of_bench() -> None:
    drawn = charts.seconds_of_stacks(PERFORMANCE)
    assert hooks.STACKS in PERFORMANCE
    assert [objects for step, objects, _ in charts.stack_times(PERFORMANCE) if step == "refresh"] == [
        "50",
        "200",
        "1,000",
    ]
    widths = [float(width) for width in re.findall(r'class="met"[^/]*width="([\d.]+)%"', drawn)]
    times = [seconds for *_, seconds in charts.stack_times(PERFORMANCE)]
    assert widths == pytest.approx([100 * seconds / max(times) for seconds in times], abs=0.06)
    assert len(times) == 3 * len(charts.STEPS)


def test_recorded_session_is_short_and_complete() -> None:
    header = json.loads(CAST.splitlines()[0])
    times = [at for at, _, _ in EVENTS]
    assert (header["version"], header["title"]) == (2, "make demo")
    assert len(CAST.encode()) < 50_000
    assert all(0 <= after - before <= record.IDLE + 0.011 for before, after in itertools.pairwise(times))
    assert re.search(r"up again: 0 changes, .*\n+Done in \d+ s", hooks.transcript(CAST))


def test_recorded_session_names_no_secret_and_no_machine() -> None:
    text = hooks.transcript(CAST)
    assert set(re.findall(r"--password (\S+)", text)) == set(re.findall(r"\(admin / (.+)\)", text)) == {"********"}
    assert set(re.findall(r"\w+://([\w.-]+)", text)) <= {"localhost"}
    assert set(re.findall(r"(?<![\w~.-])/(\w+)/", text)) <= {
        "bin",
        "dev",
        "etc",
        "opt",
        "run",
        "usr",
        "var",
        "tmp",
    }
    assert re.findall(r"PRIVATE KEY|[\w.]+@[\w.]+", text) == []


def test_record_replaces_secrets_and_folders_and_cuts_pauses() -> None:
    lines = [
        (1.0, f"cd {PROJECT}/x\r\n"),
        (9.0, f"{Path.home()}/y (admin / a b)\r\n"),
        (9.5, "--password p host\r\n"),
    ]
    _, *events = [json.loads(line) for line in record.cast("demo", iter(lines)).splitlines()]
    assert events == [
        [0.0, "o", "$ demo\r\n"],
        [1.0, "o", "cd ~/nexus-registry/x\r\n"],
        [3.0, "o", "~/y (admin / ********)\r\n"],
        [3.5, "o", "--password ******** host\r\n"],
    ]


def test_record_gives_command_a_terminal_and_refuses_failure() -> None:
    script = "import os, sys; print(os.isatty(1)); sys.exit(3)"
    lines = record.run([sys.executable, "-c", script], os.environ)
    assert next(lines)[1] == "True\r\n"
    with pytest.raises(RuntimeError, match="exit status 3"):
        next(lines)


@pytest.mark.parametrize("playable", [True, False])
def test_session_is_readable_without_player(playable: bool) -> None:
    cast = record.cast("demo", iter([(1.0, "\x1b[32m</script> & \x1b[0mdone\r\n")]))
    page = hooks.player(cast, "demo.cast", "demo", playable=playable)
    assert "$ demo\n&lt;/script&gt; &amp; done" in page
    assert ("<details open>" in page) is not playable
    assert page.count("</script>") == playable


def packed(folder: Path, content: bytes) -> list[str]:
    """An npm that packs this as the file of every package."""
    (folder / "file").write_bytes(content)
    with tarfile.open(folder / "package.tgz", "w:gz") as archive:
        archive.add(folder / "file", "package/file.js")
    copied = f"import shutil; shutil.copy({str(folder / 'package.tgz')!r}, '.')"
    return [sys.executable, "-c", f'{copied}; print(\'[{{"filename": "package.tgz"}}]\')']


@pytest.mark.parametrize("found", ["expected", "changed", "no npm"])
def test_script_is_verified_and_site_is_built_without_it(
    found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = scripts.Script("x@1", "package/file.js", hashlib.sha256(b"expected").hexdigest())
    npm = ["/nonexistent/npm"] if found == "no npm" else packed(tmp_path, found.encode())
    monkeypatch.setattr(scripts, "_npm", lambda: npm)
    fetched = scripts.fetch(tmp_path / "cache", [script])
    if found == "expected":
        assert fetched[script].read_bytes() == b"expected"
        monkeypatch.setattr(scripts, "_npm", lambda: ["/nonexistent/npm"])
        assert scripts.fetch(tmp_path / "cache", [script]) == fetched, "the second build downloads nothing"
    else:
        assert fetched == {}
        assert "the site is built without file.js" in capsys.readouterr().err


def test_diagram_of_resources_is_that_of_registrations(sdk: None) -> None:
    text = graph.PAGE.read_text()
    assert graph.page(text, graph.registered()) == text, "run: python -m docs.graph"


def test_graph_is_transitively_reduced() -> None:
    waits: graph.Graph = {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "c"}, "e": {"a"}}
    assert graph.reduced(waits) == {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"c"}, "e": {"a"}}


def test_diagram_of_ports_has_defaults_of_configuration() -> None:
    section = graph.PAGE.read_text().split("## Ports\n")[1].split("\n## ")[0]
    declared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    keys = re.findall(r"`(\w+_port)`", section)
    assert {int(port) for port in re.findall(r'"(\d+):', section)} == {declared[key]["default"] for key in keys}
