"""When rounds may be looked at, so that adding rounds until the answer is precise does not make it wrong.

Rounds are added until the interval is narrow. The spread that it is made from is found too small about as often as too
large; but it is where it is found too small that the rounds end. So an interval of nominally 95 % holds the truth in
only 92.3 % of such campaigns (at the worst ratio of noise to target). Two things help:

- The rounds stop on the width only, never on the value. Of normal values the mean is independent of all the spreads
  found on the way, so the error comes from the width alone and is the same whatever the difference is.
- The interval is made with 96.75 %, at every look the last included. It then holds the truth in 94.7 % of campaigns at
  the worst noise and in 96.75 % where there is nothing to stop for: "95 %" in tables is this one. Between them lies
  every ratio of noise to target; benchmarks/statistics.py goes through them.

Stopping by the 97.5 % interval and showing the 95 % one does not help: 92.5 %, as the same launches are selected.

Sources: Chow and Robbins, On the asymptotic theory of fixed-width sequential confidence intervals, 1965; Anscombe,
Sequential estimation, 1953 (why coverage is lost). Fewer looks lose less: each waits until the half-width could have
shrunk by an eighth or more.
"""

from __future__ import annotations

__all__ = ["LOOKS", "LOOKS_CONFIDENCE", "next_look"]

# The first has 4 degrees of freedom (t = 2.8; at 3 rounds it is 4.3), each of the others about 1.4 times the rounds of
# the one before. After 30 the interval halves only with 90 more rounds.
LOOKS = (5, 8, 12, 17, 23, 30)
LOOKS_CONFIDENCE = 0.9675


def next_look(rounds: int) -> int | None:
    """The first look after so many rounds; None after the last."""
    return next((look for look in LOOKS if look > rounds), None)
