"""What every command prints alike: tables, JSON, progress with the time left."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

import typer

__all__ = [
    "JsonOption",
    "ProgressEvent",
    "ProgressView",
    "print_json",
    "print_line",
    "print_notice",
    "print_rows",
    "progress_view",
]

_UNWRAPPED = 10_000  # columns
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class ProgressEvent(Protocol):
    """What long work reports: a line about now, how much is done of how much, and the time left where known."""

    @property
    def message(self) -> str: ...
    @property
    def done(self) -> float: ...
    @property
    def total(self) -> float: ...
    @property
    def seconds_left(self) -> float | None: ...


class ProgressView(Protocol):
    """Takes events from any thread."""

    def __call__(self, event: ProgressEvent) -> None: ...


def print_line(text: str) -> None:
    """Print text as it is: no markup, no highlighting, no wrapping."""
    sys.stdout.write(f"{text}\n")


def print_notice(text: str) -> None:
    """Print what the user should know while a command works, beside its output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    print_line(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print `rows` as a table of `columns`, or all of them as JSON; `empty` says what to do where there are none."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        print_line(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        # `latency_ms` is a name of ours, `python:mine.my_metric` is not.
        table.add_column(column.replace("_", " ") if column.isidentifier() else column, overflow="fold")
    for row in rows:
        # Text, not str: a name in square brackets is not markup.
        table.add_row(*(Text("" if row.get(column) is None else str(row[column])) for column in columns))
    # In a file or a pipe a row is a line, however long.
    Console(width=None if sys.stdout.isatty() else _UNWRAPPED).print(table)


@contextmanager
def progress_view(quiet: bool = False, *, plain_interval_s: float = 0.0) -> Iterator[ProgressView]:
    """Show one bar on stderr with the time left; plain lines where stderr is no terminal; nothing if `quiet`.

    Where messages change all the time, there is at most one plain line in `plain_interval_s`.
    """
    if quiet:
        yield lambda event: None
        return
    if not sys.stderr.isatty():
        yield _PlainLines(plain_interval_s)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0, left="")

        def show(event: ProgressEvent) -> None:
            progress.update(
                task,
                description=escape(event.message),
                completed=event.done,
                total=event.total,
                left=_time_left(event.seconds_left),
            )

        yield show


class _PlainLines:
    """A line per message that is new, for logs and CI; the first one once `interval_s` have passed."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._last = ""
        self._last_s = time.monotonic()

    def __call__(self, event: ProgressEvent) -> None:
        now_s = time.monotonic()
        if event.message == self._last or now_s - self._last_s < self._interval_s:
            return
        self._last, self._last_s = event.message, now_s
        share = f"{event.done / event.total:4.0%}" if event.total else "    "
        sys.stderr.write(f"{share}  {event.message}  {_time_left(event.seconds_left)}".rstrip() + "\n")
        sys.stderr.flush()


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} left"
