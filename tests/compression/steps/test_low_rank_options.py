from __future__ import annotations

import pytest

from pocketbench.compression.steps import low_rank


@pytest.mark.parametrize(
    ("options", "given"),
    [({}, (0.5, None)), ({"energy": 0.8}, (None, 0.8)), ({"ratio": 0.3, "energy": None}, (0.3, None))],
)
def test_one_rule_is_enough_and_a_ratio_is_the_default(options, given):
    made = low_rank.Options(**options)

    assert (made.ratio, made.energy) == given
    assert low_rank.Options(**made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"ratio": 0.5, "energy": 0.9}, "expected either `ratio`.* or `energy`", id="both"),
        pytest.param({"ratio": None}, r"got \{'ratio': None\}", id="no-number"),
        pytest.param({"ratio": None, "energy": None}, "expected either", id="neither"),
        pytest.param({"ratio": 1.0}, "less than 1", id="ratio-of-all"),
        pytest.param({"energy": 0}, "greater than 0", id="energy-of-none"),
        pytest.param({"method": "cp"}, "tucker-2", id="method"),
        pytest.param({"round_to": 0}, "greater than or equal to 1", id="round-to"),
        pytest.param({"ranks": 4}, "ranks", id="unknown"),
    ],
)
def test_half_given_and_contradictory_options_are_refused(options, message: str):
    with pytest.raises(ValueError, match=message):
        low_rank.Options(**options)
