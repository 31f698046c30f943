"""How one launch measures: what a plan says, and what its regime adds."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from pocketbench.checked.yaml import Strict
from pocketbench.harness.measure.regimes import Regime

__all__ = ["LaunchSpec", "LaunchTimes"]


class LaunchSpec(Strict):
    """How one launch measures. Warm-up and measurement each go on until both their bounds are met."""

    iterations: int = Field(default=100, ge=1, le=1_000_000, description="Steady iterations at least.")
    min_time_s: float | None = Field(
        default=None, ge=0, le=3600, description="Time of the steady iterations at least; default: the regime's."
    )
    max_time_s: float | None = Field(
        default=None,
        gt=0,
        le=3600,
        description="Warm-up and measurement take no longer than this each, whatever else; default: the regime's.",
    )
    warmup_iterations: int = Field(default=10, ge=0, le=1_000_000, description="Warm-up iterations at least.")
    warmup_time_s: float | None = Field(
        default=None, ge=0, le=3600, description="Time of the warm-up at least; default: the regime's."
    )

    def within(self, regime: Regime) -> LaunchTimes:
        """The times in s, those not given by the regime."""
        least_s = _given(self.min_time_s, regime.least_s)
        warmup_s = _given(self.warmup_time_s, regime.least_warmup_s)
        # A slow model needs its iterations: what limits them is not what the others stop at.
        most_s = _given(self.max_time_s, max(regime.most_s or regime.most_warmup_s, least_s, warmup_s))
        return LaunchTimes(warmup_s, least_s, most_s)


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


@dataclass(frozen=True, slots=True)
class LaunchTimes:
    """Of one launch, in s: warm-up and steady part at least, and each of them at most."""

    warmup_time_s: float
    min_time_s: float
    max_time_s: float

    def check(self) -> None:
        """Raise ValueError where they contradict each other."""
        if self.max_time_s < max(self.min_time_s, self.warmup_time_s):
            raise ValueError(
                f"expected max_time_s to be at least min_time_s and warmup_time_s, got {self.max_time_s:g}, "
                f"{self.min_time_s:g} and {self.warmup_time_s:g}"
            )
