"""`python:module.function`: functions of the user's own, for data and for metrics."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pocketbench.checked.errors import InputError, nearest

__all__ = ["PREFIX", "code_hash", "load_function", "raised_at"]

PREFIX = "python:"


def load_function(text: str) -> Callable[..., Any]:
    """Import what `python:package.module.function` names; the current folder is searched first, as `python -m` does.

    Raises InputError where the text is malformed, the module cannot be imported or has no such function.
    """
    module_name, _, function_name = text.removeprefix(PREFIX).rpartition(".")
    if not (module_name and function_name.isidentifier()):
        raise InputError(f"expected python:module.function, got {text!r}: name a module and a function in it.")
    here = os.getcwd()  # noqa: PTH109  # sys.path holds strings
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # the user's module runs here, and may raise anything
        raise InputError(
            f"expected a module {module_name!r} that can be imported from {here} for {text!r}, "
            f"got {type(error).__name__}: {error} ({raised_at(error)})."
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        functions = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        raise InputError(
            f"expected a function {function_name!r} in the module {module_name!r}, got none; "
            f"{nearest(function_name, functions)}."
        )
    return function  # type: ignore[no-any-return]  # callable() does not tell what comes back


def raised_at(error: Exception) -> str:
    """Where in the user's code it was raised, as `my_data.py:7`: the innermost place."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def code_hash(function: Callable[..., Any]) -> str | None:
    """Hex sha256 of the file that defines `function` (not of what that imports); None where it comes from no file."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = inspect.unwrap(inner)
    try:
        path = inspect.getsourcefile(inner if inspect.isroutine(inner) or inspect.isclass(inner) else type(inner))
    except TypeError:  # written in C
        path = None
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else None
