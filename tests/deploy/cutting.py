"""A cable that is pulled at a byte."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path

from pocketbench.harness.errors import TransportError

__all__ = ["Cut"]


class Cut:
    """A transport that breaks off after `left` bytes of standard input.

    The device sees the end of its input, or, with `kills`, its processes are killed.
    """

    def __init__(self, inner, directory, left, *, kills):
        self.address = inner.address
        self._inner, self._directory, self._left, self._kills = inner, Path(directory), left, kills

    def run(self, argv, *, timeout_s, stdin=b""):
        if isinstance(stdin, bytes):
            return self._inner.run(argv, timeout_s=timeout_s, stdin=stdin)
        self._earlier = self._groups()
        completed = self._inner.run(argv, timeout_s=timeout_s, stdin=self._limited(stdin))
        if self._left < 0:
            raise TransportError("the cable was pulled")
        return completed

    def _limited(self, stdin):
        outer = self

        class Limited(io.RawIOBase):
            def read(self, size=-1):
                chunk = stdin.read(size)
                outer._left -= len(chunk)
                if outer._left >= 0:
                    return chunk
                if outer._kills and chunk:
                    outer._kill()
                return chunk[: outer._left + len(chunk)] if outer._left + len(chunk) > 0 else b""

        return Limited()

    def _groups(self):
        return {(path, path.read_text()) for path in self._directory.glob("incoming/*/group")}

    def _kill(self):
        deadline = time.monotonic() + 10
        while not (new := [text for path, text in self._groups() - self._earlier if text.strip()]):
            assert time.monotonic() < deadline, "the script says which processes receive"
            time.sleep(0.001)
        os.killpg(int(new[0]), signal.SIGKILL)

    def push(self, source, target, *, mode=0o644):
        raise AssertionError("nothing is pushed by itself")

    def pull(self, source, target):
        raise AssertionError("nothing is pulled")

    def close(self):
        self._inner.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()
