"""Write a file whole or not at all."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_file"]


def write_file(target: Path, content: bytes) -> None:
    """Write `content` to `target` through a temporary file beside it and a rename."""
    temporary = target.with_name(f".{target.name}.new")
    temporary.write_bytes(content)
    temporary.replace(target)
