"""The ratio of two ratios: a variant against its reference in B, over the same in A, with an interval.

The campaigns are independent, so the half-widths of their intervals (of logarithms) add up as squares do: the method of
variance estimates recovery. Each interval already knows how it was made: from how many rounds, and whether rounds were
added until it was narrow.

Why not Welch's t interval from the two variances: its degrees of freedom add up, but where rounds were added until
they sufficed both variances were found too small. It holds the truth in only 93.3 % at the worst noise, this one in
94.9 %; where a campaign of 2 rounds is compared with one of 30 it holds in 88 %, this one in 95 %
(tests/comparing/test_combined.py has both cases). The price is width where nothing was wrong: 1.2 times Welch's for two
campaigns of 5 rounds, 1.08 times for two of 10.

Sources: Howe, Approximate confidence limits on the mean of X + Y, JASA 1974; Zou and Donner, Construction of confidence
limits about effect measures: a general approach, Statistics in Medicine 2008.
"""

from __future__ import annotations

import math

from pocketbench.harness.measure.statistics import Estimate

__all__ = ["ratio_of_ratios"]


def ratio_of_ratios(before: Estimate, after: Estimate) -> Estimate:
    """`after` over `before`; no interval where either has none."""
    value = after.value / before.value
    confidence = max(before.confidence, after.confidence)
    count = min(before.count, after.count)
    if before.half_width is None or after.half_width is None:
        return Estimate(value, None, None, count, confidence)
    half_width = math.hypot(before.half_width, after.half_width)
    return Estimate(value, value * math.exp(-half_width), value * math.exp(half_width), count, confidence)
