"""Interrupted campaigns: Ctrl-C, kill -9, a device that goes away. What was launched is kept and not launched again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.run import resume_campaign
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.store.store import Store
from tests.campaign.conftest import Campaign

# In a process of its own that says each launch that is about to begin.
RUN = """
import sys
from pathlib import Path
from pocketbench.harness.campaign.plan import load_plan
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.devices.registry import Registry
from pocketbench.harness.store.store import Store
home = Path(sys.argv[1])
with Store(home) as store:
    run_campaign(load_plan(Path(sys.argv[2])), store=store, registry=Registry(home / "devices.yaml"), home=home,
                 progress=lambda event: print(event.message, flush=True))
"""


def stop_at(message: str) -> Callable[[CampaignProgress], None]:
    def listener(event: CampaignProgress) -> None:
        if message in event.message:
            raise KeyboardInterrupt

    return listener


def rounds_by_job(store: Store, campaign_id: str) -> list[list[int]]:
    return [sorted(job.rounds) for job in store.jobs(campaign_id)]


def test_after_ctrl_c_the_campaign_goes_on_where_it_stopped(
    plan: Callable[..., Plan], run: Campaign, store: Store, evaluation: str
):
    wanted = plan(rounds=4, data={"evaluation": evaluation})
    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=stop_at("round 3"))
    (row,) = store.campaigns()
    kept = campaign_tables(store, row["campaign_id"])
    assert row["status"] == "interrupted"
    assert len(kept.launches) == 4
    assert len(kept.quality) == 2

    messages: list[str] = []
    campaign_id = run(wanted, campaign=resume_campaign, progress=lambda event: messages.append(event.message))

    assert campaign_id == row["campaign_id"]
    tables = campaign_tables(store, campaign_id)
    assert rounds_by_job(store, campaign_id) == [[0, 1, 2, 3]] * 2
    assert tables.launches["launch_id"].is_unique
    assert list(tables.launches["launch_id"][:4]) == list(kept.launches["launch_id"])
    assert tables.campaign["status"].iloc[0] == "finished"
    assert not any("round 1" in message or "memory" in message or "quality" in message for message in messages)


def test_after_kill_9_every_finished_launch_is_in_the_store(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path, tmp_path: Path
):
    wanted = plan(rounds=50)
    (tmp_path / "plan.yaml").write_text(wanted.to_yaml())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", RUN, str(home), str(tmp_path / "plan.yaml")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, start_new_session=True
    )
    assert process.stdout is not None
    begun = 0
    for line in process.stdout:
        begun += line.startswith("round")
        if begun == 8:
            break
    assert store.campaigns()[0]["status"] == "running"
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()

    # A runner that was just being forked holds the lock until it has become the runner.
    deadline = time.monotonic() + 10
    while (row := store.campaigns()[0])["status"] == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert row["status"] == "interrupted"
    tables = campaign_tables(store, row["campaign_id"])
    # The eighth had begun: seven were finished, and the eighth may have been before the signal came.
    assert len(tables.launches) >= 7
    assert (tables.launches["status"] == "ok").all()
    assert (tables.samples.groupby("launch_id").size() == 7).all()

    # The same plan with fewer rounds would be another plan: this one goes on.
    with pytest.raises(KeyboardInterrupt):
        run(wanted, campaign=resume_campaign, progress=stop_at("round 10"))
    assert [job[:9] for job in rounds_by_job(store, row["campaign_id"])] == [list(range(9))] * 2


def test_resuming_what_another_process_runs_is_refused(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path
):
    wanted = plan()
    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=stop_at("round 2"))
    campaign_id = store.campaigns()[0]["campaign_id"]

    with store.hold(campaign_id), pytest.raises(InputError, match="working on"):
        run(wanted, campaign=resume_campaign)


def test_a_changed_plan_is_another_campaign(plan: Callable[..., Plan], run: Campaign, store: Store):
    with pytest.raises(KeyboardInterrupt):
        run(plan(), progress=stop_at("round 2"))

    with pytest.raises(InputError, match=r"expected the plan that .* was begun with, got a changed one"):
        run(plan(rounds=3), campaign=resume_campaign)


def test_a_variant_that_changed_meanwhile_is_refused(
    plan: Callable[..., Plan], run: Campaign, store: Store, files: tuple[Path, Path]
):
    from tests.runner.tiny_models import dense_onnx

    wanted = plan()
    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=stop_at("round 2"))
    dense_onnx(files[1], units=16)

    with pytest.raises(InputError, match="as it was when the campaign began, got other content"):
        run(wanted, campaign=resume_campaign)
    assert store.campaigns()[0]["status"] == "interrupted"


def test_nothing_to_resume_begins_a_campaign(plan: Callable[..., Plan], run: Campaign, store: Store):
    campaign_id = run(plan(), campaign=resume_campaign)

    assert store.campaigns()[0]["campaign_id"] == campaign_id


def test_what_could_not_be_deployed_is_tried_again(plan: Callable[..., Plan], run: Campaign, store: Store, home: Path):
    (home / "device").write_text("a file where the device's folder should be")
    wanted = plan()
    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=lambda event: stop_after_deployment(event))
    (row,) = store.campaigns()
    assert row["launches"] == 0

    (home / "device").unlink()
    tables = campaign_tables(store, run(wanted, campaign=resume_campaign))

    assert list(tables.jobs["status"]) == ["ok", "ok"]


def stop_after_deployment(event: CampaignProgress) -> None:
    if "deploying dense.onnx" in event.message:
        raise KeyboardInterrupt


def interrupted(run: Campaign, store: Store, plan: Plan) -> str:
    with pytest.raises(KeyboardInterrupt):
        run(plan, progress=stop_at("round 2"))
    return str(store.campaigns()[0]["campaign_id"])


def test_rounds_of_two_engine_builds_are_not_put_together(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path
):
    wanted = plan()
    interrupted(run, store, wanted)
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute("INSERT INTO engines VALUES ('litert-0.1', 'LiteRT', '0.1', 'linux-x86_64', 'ab')")
        connection.execute("UPDATE jobs SET engine_id = 'litert-0.1' WHERE key LIKE 'dense.tflite%'")

    with pytest.raises(InputError, match=r"expected the engine build litert-0\.1 .* got litert-[^0]"):
        run(wanted, campaign=resume_campaign)
    assert store.campaigns()[0]["status"] == "interrupted"


def test_variants_are_not_judged_by_two_sets_of_data(
    plan: Callable[..., Plan], run: Campaign, store: Store, evaluation: str
):
    wanted = plan(data={"evaluation": evaluation})
    interrupted(run, store, wanted)
    data = dict(np.load(evaluation))
    np.savez(evaluation, x=data["x"], y=(data["y"] + 1) % 32)

    with pytest.raises(InputError, match="expected the evaluation data and metric"):
        run(wanted, campaign=resume_campaign)


def test_a_finished_campaign_is_not_measured_again(plan: Callable[..., Plan], run: Campaign, store: Store):
    wanted = plan()
    campaign_id = run(wanted)
    launches = len(campaign_tables(store, campaign_id).launches)

    assert run(wanted, campaign=resume_campaign) == campaign_id
    assert len(store.campaigns()) == 1
    assert len(campaign_tables(store, campaign_id).launches) == launches


def test_the_conditions_of_the_beginning_stay(plan: Callable[..., Plan], run: Campaign, store: Store, home: Path):
    wanted = plan()
    interrupted(run, store, wanted)
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute("UPDATE devices SET kernel = 'the first one'")

    tables = campaign_tables(store, run(wanted, campaign=resume_campaign))

    assert list(tables.devices["kernel"]) == ["the first one"]


def test_what_was_made_before_the_store_knows_of_it_is_removed(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path, files: tuple[Path, Path]
):
    wanted = plan(model=files[1], variants=(), recipes=["float32", "float16"])
    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=stop_at("making float16"))

    assert store.campaigns() == []
    assert list((home / "variants").glob("*")) == []
    assert store.campaigns() == []
    assert len(campaign_tables(store, run(wanted, campaign=resume_campaign)).jobs) == 2
