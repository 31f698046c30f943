"""Why is int8 not faster? What the tables know of a quantized file that is slower than its float reference."""

from __future__ import annotations

from collections.abc import Iterator

from pocketbench.reports.campaign import Job, Variant
from pocketbench.reports.digits import significant
from pocketbench.reports.operators import Profile

__all__ = ["is_quantized", "reasons_of_slowness"]

# Instructions that multiply int8 four at a time and add up; without them int8 gains little over float.
_DOT_PRODUCTS = ("asimddp", "i8mm", "avx_vnni", "avx512_vnni")
_NOTABLE_SHARE = 0.1


def is_quantized(variant: Variant) -> bool:
    """Whether it computes with whole numbers, by its steps or its recipe's name."""
    schemes = [
        str(options.get("scheme", "")) for step in variant.steps if isinstance(options := step.get("options"), dict)
    ]
    return any(name.startswith("int") for name in (*schemes, variant.recipe or ""))


def reasons_of_slowness(job: Job, profile: Profile | None, cpu_features: str | None) -> Iterator[tuple[str, str]]:
    """What it may be, and what to do about it; nothing where no cause is known."""
    if profile is not None and profile.conversions and profile.conversion_share >= _NOTABLE_SHARE:
        yield (
            f"{profile.conversions} of its {profile.positions} operators only convert between float and integers, "
            f"and take {_percent(profile.conversion_share)} of the time",
            "quantize the operators between them as well (int8 with calibration data), or none of them",
        )
    share = None if profile is None else profile.fallback_share(job.accelerator)
    if share is not None and share >= _NOTABLE_SHARE:
        yield (
            f"{_percent(share)} of the time is in operators that fell back to the engine's own kernels",
            "use operators that are not in that list under “Operators”, or measure the other format",
        )
    features = (cpu_features or "").split()
    if features and not any(feature in _DOT_PRODUCTS for feature in features):
        yield (
            f"the CPU has no dot product of int8 ({', '.join(_DOT_PRODUCTS)})",
            "use float16 or pruning on this device",
        )


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)} %"
