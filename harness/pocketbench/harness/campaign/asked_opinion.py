"""What a plan says of a benchmark program of the user's: a second opinion on every file that it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field

from pocketbench.checked.yaml import Strict
from pocketbench.harness.opinion.opinion import Asked
from pocketbench.harness.opinion.take import Program
from pocketbench.harness.opinion.tools import TOOLS, tool_arguments

__all__ = ["OpinionSpec"]

_MOST_FILES = 32
Flag = Annotated[str, Field(min_length=1, max_length=1000)]


class OpinionSpec(Strict):
    """A program on this computer; its file name tells which it is (docs/second-opinion.md)."""

    program: Path = Field(description="benchmark_model, benchmark_litert_model.py or onnxruntime_perf_test.")
    libraries: tuple[Path, ...] = Field(
        default=(), max_length=_MOST_FILES, description="Shared libraries that it is to find beside it."
    )
    interpreter: tuple[Flag, ...] = Field(
        default=(), max_length=_MOST_FILES, description="What starts a script on the device; default: python3."
    )
    flags: tuple[Flag, ...] = Field(default=(), max_length=_MOST_FILES, description="Behind ours, as they are.")

    def check(self) -> Program:
        """The program; InputError where it is not there or not known, or a flag would change what is asked."""
        program = Program(self.program, self.libraries, self.interpreter)
        model = PurePosixPath(f"/model{TOOLS[program.tool].formats[0]}")
        tool_arguments(program.tool, Asked(model, flags=self.flags), PurePosixPath("/result"))
        return program

    def absolute(self, resolve: Callable[[str], str]) -> OpinionSpec:
        """With its paths by `resolve`."""
        libraries = tuple(Path(resolve(str(path))) for path in self.libraries)
        return self.model_copy(update={"program": Path(resolve(str(self.program))), "libraries": libraries})
