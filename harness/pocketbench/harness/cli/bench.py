"""`pocketbench bench`: measure files that exist already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pocketbench.harness.cli.finish import measure_and_report

__all__ = ["bench"]


def bench(
    variants: Annotated[list[Path], typer.Argument(help="Variant folders, or .tflite and .onnx files.")],
    on: Annotated[list[str] | None, typer.Option(help="Device; several times for several. Default: local.")] = None,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1",
    cores: Annotated[str | None, typer.Option(help="CPU cores to pin to, separated by commas.")] = None,
    rounds: Annotated[int, typer.Option(help="Launches of each variant, in random order.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the order of launches and of random inputs.")] = 0,
    evaluation: Annotated[str | None, typer.Option(help="Evaluation data; measures quality on the device.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="top-1 (default), top-5, mean-absolute-error or python:module.function.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The report.")] = Path("report.html"),
) -> None:
    """Measure .tflite and .onnx files on devices; needs no TensorFlow.

    Example: pocketbench bench mobilenet.tflite mobilenet.onnx --on local --threads 1,2
    """
    from pocketbench.compression.data import DataSpec
    from pocketbench.harness.campaign.plan import plan_for_variants

    if metric and not evaluation:
        raise typer.BadParameter("expected --evaluation with it, got none", param_hint="--metric")
    plan = plan_for_variants(
        variants,
        devices=on or ["local"],
        threads=_numbers(threads, "--threads"),
        cores=_numbers(cores, "--cores") if cores else None,
        rounds=rounds,
        seed=seed,
        data=DataSpec(evaluation=evaluation, metric=metric or "top-1") if evaluation else None,
    )
    measure_and_report(plan, output)


def _numbers(text: str, option: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise typer.BadParameter(f"expected whole numbers separated by commas, got {text!r}", param_hint=option)
    return [int(part) for part in parts]
