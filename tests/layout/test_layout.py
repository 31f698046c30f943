"""The two layout rules of the house, and the floors: an import never goes up."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("harness", "device_profiles", "compression", "reports")

# Floor of each room; what is not named stands on the floor of its package.
FLOORS = {
    "pocketbench.checked": 0,
    "pocketbench.compression": 1,
    "pocketbench.device_profiles": 1,
    "pocketbench.reports": 1,
    "pocketbench.harness": 1,
    "pocketbench.harness.transports": 2,
    "pocketbench.harness.engines": 2,
    "pocketbench.harness.runner": 2,
    "pocketbench.harness.devices": 2,
    "pocketbench.harness.sensors": 2,
    "pocketbench.harness.store": 2,
    "pocketbench.harness.deploy": 3,
    "pocketbench.harness.measure": 3,
    "pocketbench.harness.opinion": 3,
    "pocketbench.harness.preparation": 3,
    "pocketbench.harness.campaign": 4,
    "pocketbench.harness.checkup": 4,
    "pocketbench.harness.comparing": 4,
    "pocketbench.harness.demo": 4,
    "pocketbench.harness.cli": 5,
}


def modules() -> Iterator[tuple[str, Path]]:
    for root in SOURCE_ROOTS:
        for path in sorted((ROOT / root).rglob("*.py")):
            parts = path.relative_to(ROOT / root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def room(module: str) -> str | None:
    return max((name for name in FLOORS if f"{module}.".startswith(f"{name}.")), key=len, default=None)


def imports_of(path: Path) -> Iterator[str]:
    """What a module imports when it runs; what only the type checker sees binds nothing."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


def test_no_init_file_hides_a_share_of_the_namespace():
    stray = [str(path.relative_to(ROOT)) for root in SOURCE_ROOTS for path in (ROOT / root).glob("__init__.py")]
    stray += [str(path.relative_to(ROOT)) for path in ROOT.glob("*/pocketbench/__init__.py")]

    assert stray == []


def test_package_init_files_only_describe():
    busy = []
    for _, path in modules():
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            if not (len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)):
                busy.append(str(path.relative_to(ROOT)))

    assert busy == [], "import from the leaf: a package's __init__.py holds its docstring and nothing else"


def test_every_package_is_typed():
    packages = [path for root in SOURCE_ROOTS for path in (ROOT / root / "pocketbench").iterdir() if path.is_dir()]

    assert [path.name for path in packages if path.name != "__pycache__" and not (path / "py.typed").is_file()] == []


@pytest.mark.parametrize(("module", "path"), [pytest.param(*item, id=item[0]) for item in modules()])
def test_imports_go_down_or_stay(module: str, path: Path):
    own = room(module)
    if own is None:
        pytest.fail(f"{module} stands in no room of the floor plan: add it to FLOORS or move it")
    upward = [
        f"{name} (floor {FLOORS[other]})"
        for name in imports_of(path)
        if (other := room(name)) is not None
        and other != own
        and (FLOORS[other] > FLOORS[own] or FLOORS[own] == FLOORS[other] == 1)
    ]

    assert upward == [], f"{module} is on floor {FLOORS[own]}"


def test_rooms_import_each_other_in_no_circle():
    arrows: dict[str, set[str]] = {}
    for module, path in modules():
        own = room(module)
        arrows.setdefault(str(own), set()).update(
            other for name in imports_of(path) if (other := room(name)) is not None and other != own
        )

    def reachable(start: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        for following in arrows.get(start, ()):
            if following not in seen:
                seen = reachable(following, seen | {following})
        return seen

    assert [name for name in arrows if name in reachable(name)] == []


@pytest.mark.parametrize("module", [name for name, path in modules() if path.name != "__init__.py"])
def test_public_names_are_listed(module: str):
    """Every public function, class and constant that a module defines is in its __all__, and nothing else is."""
    path = next(path for name, path in modules() if name == module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    ]
    public = [node for node in tree.body if not getattr(node, "name", "_").startswith("_")]
    # A function with a decorator is a command of Typer, reached through its app.
    defined = {
        node.name
        for node in public
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and not node.decorator_list)
    }
    if "migrations" in path.parts:  # Alembic calls these files' upgrade() and downgrade() by name
        return

    assert listed, f"{module} has no __all__"
    missing = defined - set(listed[0]) - {"main"}
    assert missing == set()


def test_the_namespace_has_all_its_shares():
    for name in ("checked", "compression", "device_profiles", "harness", "reports"):
        assert importlib.import_module(f"pocketbench.{name}").__doc__
