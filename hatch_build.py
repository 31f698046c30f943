"""Build hook of hatchling: the runner's binaries go into every wheel, an editable install builds them in place."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RunnerBuildHook(BuildHookInterface):  # type: ignore[misc]  # hatchling ships no types
    """Compiles the runner for every platform unless a current binary is there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        runner = Path(self.root) / "harness" / "pocketbench" / "harness" / "runner"
        spec = importlib.util.spec_from_file_location("pocketbench_runner_build", runner / "build.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for platform in module.PLATFORMS:
            binary = runner / "bin" / platform / module.PROGRAM
            if not module.is_current(runner / "src", binary):
                self.app.display_info(f"building the runner for {platform}")
                module.build(platform, runner / "src", binary)
