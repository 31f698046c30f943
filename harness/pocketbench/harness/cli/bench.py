"""`pocketbench bench`: measure files that exist already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pocketbench.harness.cli.connection import CampaignRecordOption, PrepareOption
from pocketbench.harness.cli.finish import measure_and_report
from pocketbench.harness.cli.quantities import seconds, share

__all__ = ["bench"]


def bench(
    variants: Annotated[list[Path], typer.Argument(help="Variant folders, or .tflite and .onnx files.")],
    on: Annotated[list[str] | None, typer.Option(help="Device; several times for several. Default: local.")] = None,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1",
    cores: Annotated[str | None, typer.Option(help="CPU cores to pin to, separated by commas.")] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="Exactly so many launches of each variant; default: until --precision is reached."),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="Half-width of the intervals of ratios; default: 1%. At most 30 rounds.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time for measuring, such as 90s, 10min or 2h; says what it could not reach.")
    ] = None,
    regime: Annotated[str | None, typer.Option(help="burst (default): a cool device; sustained: a hot one.")] = None,
    accelerator: Annotated[
        list[str] | None,
        typer.Option(help="cpu (default), gpu, npu, xnnpack, nnapi or qnn; several times for several."),
    ] = None,
    require_accelerator: Annotated[
        bool, typer.Option("--require-accelerator", help="Fail where a part of the model runs on the CPU after all.")
    ] = False,
    energy: Annotated[
        bool, typer.Option("--energy", help="Measure idle power as well: a minute more a round.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: 3 rounds of launches of a second, marked as short.")
    ] = False,
    prepare: PrepareOption = None,
    opinion: Annotated[
        list[Path] | None,
        typer.Option(help="A benchmark program of yours to run in the same rounds; several times for several."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the order of launches and of random inputs.")] = 0,
    evaluation: Annotated[str | None, typer.Option(help="Evaluation data; measures quality on the device.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="top-1 (default), top-5, mean-absolute-error or python:module.function.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The report.")] = Path("report.html"),
    record: CampaignRecordOption = None,
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
        seed=seed,
        quick=quick,
        rounds=rounds,
        precision=None if precision is None else share(precision, "--precision"),
        budget_s=None if budget is None else seconds(budget, "--budget"),
        regime=regime,
        accelerators=tuple(accelerator) if accelerator else None,
        require_accelerator=require_accelerator or None,
        energy=energy or None,
        prepare=tuple(prepare) if prepare else None,
        opinions=tuple({"program": path} for path in opinion) if opinion else None,
        data=DataSpec(evaluation=evaluation, metric=metric or "top-1") if evaluation else None,
    )
    measure_and_report(plan, output, record=record)


def _numbers(text: str, option: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise typer.BadParameter(f"expected whole numbers separated by commas, got {text!r}", param_hint=option)
    return [int(part) for part in parts]
