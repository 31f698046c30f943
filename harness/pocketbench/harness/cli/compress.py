"""`pocketbench compress`: variants of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pocketbench.harness.cli.output import JsonOption, print_json, print_line, print_rows, progress_view

__all__ = ["compress"]


def compress(
    model: Annotated[Path, typer.Argument(help="A Keras 3 model (.keras, .h5) or an ONNX file (.onnx).")],
    recipe: Annotated[
        list[str] | None, typer.Option(help="Recipe name or YAML file; several times for several. Default: all.")
    ] = None,
    format: Annotated[  # noqa: A002  # the option is called --format
        list[str] | None, typer.Option(help="tflite or onnx. Default: both for Keras, onnx for ONNX.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Training data: .npz, a folder of images by class, or python:module.function.")
    ] = None,
    calibration: Annotated[str | None, typer.Option(help="Calibration data; default: a sample of --data.")] = None,
    evaluation: Annotated[str | None, typer.Option(help="Evaluation data for the quality metric.")] = None,
    metric: Annotated[str, typer.Option(help="top-1, top-5, mean-absolute-error or python:module.function.")] = "top-1",
    out: Annotated[Path, typer.Option(help="Folder for the variants.")] = Path("variants"),
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    time_limit: Annotated[float, typer.Option(help="Seconds that one conversion or training may take.")] = 900.0,
    cache: Annotated[bool, typer.Option(help="Reuse variants that were built from the same input.")] = True,
    json: JsonOption = False,
) -> None:
    """Make compressed variants of a model, each checked against its source.

    Example: pocketbench compress model.keras --recipe int8 --recipe my.yaml --data train.npz --out variants/
    """
    from pocketbench.compression.build import build_variants, default_formats
    from pocketbench.compression.data import DataSpec
    from pocketbench.compression.recipes import recipe_names
    from pocketbench.harness.home import home_directory

    with progress_view(quiet=json) as view:
        built = build_variants(
            model,
            recipes=recipe or recipe_names(),
            formats=format or default_formats(model),
            data=DataSpec(train=data, calibration=calibration, evaluation=evaluation, metric=metric),
            output=out,
            seed=seed,
            time_limit_s=time_limit,
            cache=home_directory() / "cache" if cache else None,
            progress=view,
        )
    if json:
        print_json([variant.manifest.model_dump(mode="json") for variant in built])
    else:
        rows = [
            {
                "variant": variant.manifest.name,
                "size_kB": f"{variant.manifest.file.size_bytes / 1000:.1f}" if variant.manifest.file else None,
                "gzip_kB": f"{variant.manifest.file.size_gzip_bytes / 1000:.1f}" if variant.manifest.file else None,
                variant.manifest.host_quality.metric if variant.manifest.host_quality else "quality": (
                    f"{variant.manifest.host_quality.value:.4f}" if variant.manifest.host_quality else None
                ),
                "status": f"failed in {variant.manifest.failure.stage}: {variant.manifest.failure.reason}"
                if variant.manifest.failure
                else "ok",
            }
            for variant in built
        ]
        quality = metric if evaluation else "quality"
        print_rows(("variant", "size_kB", "gzip_kB", quality, "status"), rows, as_json=False, empty="no variants")
        print_line(f"variants are in {out}")
    if not any(variant.manifest.ok for variant in built):
        raise typer.Exit(1)
