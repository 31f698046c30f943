"""A file on this computer that appears complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_file"]


@contextmanager
def whole_file(target: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Write here; `target` is there with `mode` once the block ends, and as it was where the block raises.

    The temporary file lies beside `target`, so that a rename puts it in place. OSError where that cannot be written.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as writer:
            yield writer
        temporary.chmod(mode)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
