"""Reduces a failing history: it may also fail without a run, a kill, an option or an entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from .histories import History, Program, settled

TRIES = 25


def smaller(history: History, wrong: str, run_history: Callable[[History, int], str]) -> str:
    """What is wrong with the smallest history that was found in a number of tries."""
    number, again = 0, True
    while again:
        again = False
        for other in shorter(history):
            if number == TRIES:
                return wrong
            number += 1
            said = run_history(other, number)
            if said and _kind(said) == _kind(wrong):
                history, wrong, again = other, said, True
                break
    return wrong


def _kind(wrong: str) -> str:
    """The failure without names and values, to compare failures."""
    return re.sub(r"[^a-z ]\S*|: .*", "", wrong.strip().splitlines()[-1])


def shorter(history: History) -> Iterator[History]:
    """Every valid history with one part removed."""
    for less in _shorter(history):
        if not any(run.program.problems() for run in less.runs) and (made := settled(less)):
            yield made


def _shorter(history: History) -> Iterator[History]:
    for at in reversed(range(len(history.runs))):
        if len(history.runs) > 1:
            yield replace(history, runs=history.runs[:at] + history.runs[at + 1 :])
    for name in sorted({one.name for run in history.runs for one in run.program.entries}):
        yield _without(history, name)
    for at, run in enumerate(history.runs):
        less = [replace(run, kill=None)] * bool(run.kill) + [replace(run, push=())] * bool(run.push)
        less += [replace(run, replace=())] * bool(run.replace)
        for fewer in less:
            yield replace(history, runs=(*history.runs[:at], fewer, *history.runs[at + 1 :]))


def _without(history: History, name: str) -> History:
    runs = []
    for run in history.runs:
        gone = run.program.by_name.get(name)
        others = tuple(
            replace(one, uses=one.uses * (one.uses != name), parent=one.parent * (one.parent != name))
            for one in run.program.entries
            if one.name != name
        )
        program = Program(run.program.groups, others, run.program.host)
        runs.append(
            replace(
                run,
                program=program,
                replace=tuple(one for one in run.replace if one != name),
                target=tuple(one for one in run.target if one != name),
                foreign=tuple(one for one in run.foreign if not gone or one != gone.object),
                push=tuple(key for key in run.push if ("repository", key) in program.by_object),
            )
        )
    return replace(history, runs=tuple(runs))
