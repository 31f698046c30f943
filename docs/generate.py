"""Write the pages that the code already knows: `python -m docs.generate` (a test compares them with the code)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Column
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from pocketbench.harness.cli.main import app
from pocketbench.harness.store.schema import METADATA
from pocketbench.reports.tables import COLUMNS

__all__ = ["PAGES", "commands_page", "store_page", "tables_page"]

FOLDER = Path(__file__).parent


def commands_page() -> str:
    """Every command with its arguments, options and example."""
    lines = [
        "# Commands",
        "",
        "Written by `python -m docs.generate` from the code. Exit codes: 0 done, 1 the answer is no, 2 bad usage",
        "or input, 3 a device failed, 130 interrupted. State lives in `$POCKETBENCH_HOME`, by default the user's",
        "data folder.",
    ]
    root = get_command(app)
    if isinstance(root, TyperGroup):
        lines += _commands(root, "pocketbench")
    return "\n".join(lines) + "\n"


def _commands(group: TyperGroup, path: str) -> list[str]:
    lines: list[str] = []
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            lines += _commands(command, f"{path} {name}")
        elif isinstance(command, TyperCommand):
            lines += _command(command, f"{path} {name}")
    return lines


def _command(command: TyperCommand, path: str) -> list[str]:
    description, _, example = (command.help or "").partition("Example: ")
    lines = ["", f"## {path}", "", " ".join(description.split()), "", f"    {' '.join(example.split())}", ""]
    for parameter in command.params:
        names = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
        if parameter.param_type_name == "argument":
            names = f"`{(parameter.name or '').upper()}`"
        lines.append(f"- {names}: {getattr(parameter, 'help', None) or ''}{_default(parameter.default)}")
    return lines


def _default(value: object) -> str:
    if value is None or value is False or value == [] or callable(value):
        return ""
    return f" Default: `{'on' if value is True else value}`."


def tables_page() -> str:
    """Every table that reports are made from, with its columns."""
    lines = [
        "# Tables",
        "",
        "Written by `python -m docs.generate` from `reports/tables.py`. `pocketbench results export CAMPAIGN",
        "--table NAME` gives each as CSV, JSON or Parquet. Times in ns, sizes in bytes, instants in UTC; a missing",
        "value means not known, never 0.",
    ]
    for table, columns in COLUMNS.items():
        lines += ["", f"## {table}", "", "| column | meaning |", "|---|---|"]
        lines += [f"| `{column}` | {meaning} |" for column, meaning in columns.items()]
    return "\n".join(lines) + "\n"


def store_page() -> str:
    """Every table of the store, with its columns."""
    lines = [
        "# Tables of the store",
        "",
        "Written by `python -m docs.generate` from `harness/store/schema.py`; [store.md](store.md) says what the store",
        "is. Instants are UTC in ISO 8601 with milliseconds. NULL means not known, never 0; only columns that say NULL",
        "may be it.",
    ]
    for table in METADATA.tables.values():
        lines += ["", f"## {table.name}", "", table.comment or "", "", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {_type(column)} | {column.comment} |" for column in table.columns]
    return "\n".join(lines) + "\n"


def _type(column: Column[Any]) -> str:
    return f"{column.type}{', NULL' if column.nullable else ''}{', key' if column.primary_key else ''}"


PAGES = {"commands.md": commands_page, "store-tables.md": store_page, "tables.md": tables_page}


if __name__ == "__main__":
    for page, render in PAGES.items():
        (FOLDER / page).write_text(render(), encoding="utf-8")
