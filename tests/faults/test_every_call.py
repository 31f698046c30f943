"""A cable that is pulled at every call of a campaign: nothing stored is lost, and what was in use answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.campaign import lost
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.run import resume_campaign
from pocketbench.harness.errors import CampaignInterruptedError, TransportError
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport
from tests.faults.conftest import Campaign
from tests.faults.consistency import answer, check_complete, check_store, lost_in
from tests.faults.faulty import FOR_GOOD, Faulty, When

ZEROS = [np.zeros((1, 64), np.float32)]
BIAS = np.random.default_rng(0).standard_normal(32 * 64 + 32)[-32:]


def number_of(directory: PurePosixPath) -> int:
    """Which model the deployment in use is, by what it computes."""
    with LocalTransport() as transport:
        output = answer(transport, directory, "dense.tflite", ZEROS)
    number = round(float(output.max() - BIAS.max()))
    np.testing.assert_allclose(output.reshape(-1), np.maximum(BIAS + number, 0), rtol=1e-3, atol=1e-3)
    return number


def outcome_of(run: Campaign, plan: Plan) -> str:
    """How it ended, with the device's name in every error."""
    try:
        run(plan)
    except CampaignInterruptedError as error:
        return "interrupted" if str(error).startswith("board: expected the device to come back") else str(error)
    except TransportError as error:
        return "not begun" if str(error).startswith("board: ") else str(error)
    return "finished"


@pytest.mark.parametrize(
    ("when", "away"),
    [
        pytest.param("before", 2, id="before it and returns"),
        pytest.param("middle", 2, id="in the middle and returns"),
        pytest.param("middle", FOR_GOOD, id="in the middle and stays away"),
        pytest.param("after", 2, id="after it and returns"),
        pytest.param("after", FOR_GOOD, id="after it and stays away"),
    ],
)
def test_a_cut_at_any_call(
    when: When,
    away: int,
    model: Callable[[int], Path],
    plan: Callable[..., Plan],
    board: Callable[[Transport], None],
    run: Campaign,
    home: Path,
    directory: PurePosixPath,
    monkeypatch: pytest.MonkeyPatch,
):
    """Each campaign brings another model to the device, and is cut one call later than the one before."""
    if away != FOR_GOOD:
        monkeypatch.setattr(lost, "_RETURN_WITHIN_S", 60.0)
    device = Faulty()
    board(device)
    model(0)
    run(plan(name="the first"))
    outcomes: list[str] = []
    lost_launches: list[int] = []
    for step in itertools.count(1):
        model(step)
        wanted = plan(name=f"cut at call {step}")
        device.cut(at=step, when=when, away=away)
        outcomes.append(outcome_of(run, wanted))
        was_cut = device.was_cut
        device.plug_in()
        check_store(home)
        assert number_of(directory) in ((step,) if outcomes[-1] == "finished" else (step - 1, step))

        campaign_id = run(wanted, resume_campaign)

        check_store(home)
        check_complete(home, campaign_id, rounds=2)
        lost_launches.append(lost_in(home, campaign_id))
        if not was_cut:
            break
    assert number_of(directory) == step
    # Each of the two launches was lost once or more, and that is told.
    assert sum(lost_launches) >= 2
    assert max(lost_launches) == 1
    # Two questions come before a campaign is begun.
    assert outcomes[:2] == ["not begun"] * 2
    assert set(outcomes[2:-1]) == {"finished" if away != FOR_GOOD else "interrupted"}
    assert len(outcomes) > 10
