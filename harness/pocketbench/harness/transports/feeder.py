"""Standard input for a command from a file, by a thread of its own: both outputs are read meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import BinaryIO

__all__ = ["Feeder"]

# How long a write that nobody reads any more may take to fail, once the command has ended.
_GRACE_S = 5.0


class Feeder:
    """Reads `source` in pieces and hands each to `write`, then calls `end`, however it came to that.

    `broken` are what `write` and `end` raise where the command has ended without reading everything or the connection
    is gone: the side that reads the outputs finds that out.
    """

    def __init__(
        self,
        source: BinaryIO,
        write: Callable[[bytes], object],
        end: Callable[[], object],
        *,
        broken: tuple[type[Exception], ...],
        piece_bytes: int,
    ) -> None:
        self._source, self._write, self._end = source, write, end
        self._broken, self._piece_bytes = broken, piece_bytes
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """To be called after the command has ended; raises what reading the source raised: it got only a part."""
        self._thread.join(_GRACE_S)
        if self._problem is not None:
            raise self._problem

    def _feed(self) -> None:
        with contextlib.suppress(*self._broken):
            try:
                while piece := self._read():
                    self._write(piece)
            finally:
                self._end()

    def _read(self) -> bytes:
        try:
            return self._source.read(self._piece_bytes)
        except Exception as error:  # whatever it is: it is raised again in finish()
            self._problem = error
            return b""
