"""`pocketbench demo`: the whole way on this computer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pocketbench.checked.errors import InputError, PocketbenchError
from pocketbench.harness.cli.finish import measure_and_report
from pocketbench.harness.cli.output import print_line

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(help="A folder for the model, the data, the plan and the report.")] = Path(
        "pocketbench-demo"
    ),
) -> None:
    """Train a small network on real digits, compress it in every way, measure each variant here, write the report.

    Example: pocketbench demo --out pocketbench-demo
    """
    from pocketbench.harness.campaign.plan import load_plan

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder that can be made, got {str(out)!r}: {error.strerror}.") from error
    print_line("training a residual network on scikit-learn's digits (1,797 real images) ...")
    training = subprocess.run(
        [sys.executable, "-m", "pocketbench.harness.demo.digits", str(out)], capture_output=True, text=True, check=False
    )
    if training.returncode == InputError.exit_code:
        raise InputError(training.stderr.strip())
    if training.returncode != 0:
        raise PocketbenchError(f"the demo's training failed:\n{training.stderr.strip()}")
    print_line(f"it is right on {float(training.stdout):.2%} of the test images; compressing and measuring ...")
    measure_and_report(load_plan(out / "plan.yaml"), out / "report.html")
