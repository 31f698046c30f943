"""`compare` and the findings of `results show`: what they print, and the exit codes that CI acts on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli.main import app
from pocketbench.harness.store.records import (
    CampaignRecord,
    DeviceRecord,
    EngineRecord,
    JobRecord,
    LaunchRecord,
    QualityRecord,
    TraceRecord,
    VariantRecord,
)
from pocketbench.harness.store.samples import SAMPLES_DTYPE
from pocketbench.harness.store.store import Store
from tests.cli.test_start import pocketbench

ROUNDS = 8
ENGINE = EngineRecord("litert-2.1-linux-aarch64-ab12", "LiteRT", "2.1", "linux-aarch64", "ab12" * 16)
Measure = Callable[..., str]
CommandLine = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("POCKETBENCH_HOME", str(path))
    return path


@pytest.fixture
def run(home: Path) -> CommandLine:
    return lambda *argv: CliRunner().invoke(app, list(argv))


@pytest.fixture
def measure(home: Path) -> Measure:
    """Store a campaign of a reference, its A/A copy and int8-tflite, which takes `ratio` of its time."""

    def measure(name: str, ratio: float, **values: Any) -> str:
        with Store(home) as store:
            return _measure(store, name, ratio, **values)

    return measure


def _measure(
    store: Store,
    name: str,
    ratio: float,
    *,
    size_bytes: int = 1000,
    quality: float = 0.9,
    sensors: str | None = None,
    plugged: float | None = None,
    copy: float = 1.001,
    **device: str,
) -> str:
    random = np.random.default_rng(sum(map(ord, name)))
    campaign_id = f"20260725T093000Z-net-{name}"
    variants = [
        VariantRecord("float32-tflite", "tflite", "float32", "reference", "/v/f", sha256="f" * 64, size_bytes=4000),
        VariantRecord("int8-tflite", "tflite", "int8", "variant", "/v/8", sha256=name * 64, size_bytes=size_bytes),
    ]
    keys = {"float32": (variants[0], 1.0), "copy": (variants[0], copy), "int8": (variants[1], ratio)}
    jobs = [
        JobRecord(key, variant.name, "pi", 1, None, key == "float32", "float32", is_aa_copy=key == "copy")
        for key, (variant, _) in keys.items()
    ]
    record = CampaignRecord(
        campaign_id,
        "net",
        f"2026-07-2{ord(name) % 10}T09:30:00.000Z",
        1,
        ROUNDS,
        "top-1",
        True,
        "e" * 64,
        "0.1",
        {},
        "",
    )
    store.add_campaign(record, [DeviceRecord("pi", "local:", "generic-linux", "/srv")], variants, jobs)
    facts: dict[str, object] = {"model": "Raspberry Pi 5", "cpu": "Cortex-A76", "governor": "ondemand"}
    store.set_facts(campaign_id, "pi", facts | device)
    store.set_device(campaign_id, "pi", sensors=sensors)
    identifiers = {job.key: job.job_id for job in store.jobs(campaign_id)}
    store.set_deployed(identifiers.values(), ENGINE)
    store.set_quality(
        [identifiers["float32"], identifiers["int8"]],
        QualityRecord("top-1", quality, quality - 0.01, quality + 0.01, 1000, higher_is_better=True),
        [],
    )
    for number in range(ROUNDS):
        slow = 1 + 0.05 * random.random()
        for key, (_, factor) in keys.items():
            # Exactly `factor` between the campaign's own noise: two rounds that undo each other.
            median = 2e6 * slow * factor * np.exp(0.002 * (-1) ** number * (key != "float32"))
            launch = LaunchRecord(
                *(identifiers[key], number, 0, "2026-07-25T09:31:00.000Z", "ok"),
                iterations=120,
                latency_median_ns=float(median),
                flags="",
            )
            traces = [] if plugged is None else [_plugged(plugged)]
            store.add_launch(launch, np.zeros(1, SAMPLES_DTYPE), traces=traces)
    store.set_status(campaign_id, "finished")
    return campaign_id


def _plugged(value: float) -> TraceRecord:
    return TraceRecord("battery-service", "plugged_flag", "battery", np.array([5]), np.array([value]))


def test_a_regression_is_shown_and_fails_its_limit(measure: Measure, run: CommandLine):
    a, b = measure("a", 0.5), measure("b", 0.6)

    result = run("compare", a, b, "--fail-if", "latency > +5%", "--fail-if", "size > +1%")

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"A  {a}", f"B  {b}"]
    job = next(line for line in lines if line.startswith("int8-tflite"))
    assert "1.200× [1.19" in job
    assert "difference" in job
    limits = [line.split("  ")[0] for line in lines[lines.index("Limits") + 2 :]]
    assert limits == ["fails", "holds", "holds"]
    assert "ms" not in result.stdout.split()


def test_the_same_ratio_holds_every_limit(measure: Measure, run: CommandLine):
    limits = ("--fail-if", "latency > +5%", "--fail-if", "quality < -2%", "--fail-if", "size > +0%")

    result = run("compare", measure("a", 0.5), measure("b", 0.5), *limits)

    assert result.exit_code == 0
    assert "fails" not in result.stdout
    assert "cannot say" not in result.stdout


def test_without_a_limit_a_difference_is_no_failure(measure: Measure, run: CommandLine):
    result = run("compare", measure("a", 0.5), measure("b", 0.9))

    assert result.exit_code == 0
    assert "Limits" not in result.stdout


def test_a_limit_within_the_interval_is_not_failed_and_says_what_would_tell(measure: Measure, run: CommandLine):
    result = run("compare", measure("a", 0.5), measure("b", 0.5005), "--fail-if", "latency > +0.2%")

    assert result.exit_code == 0
    assert "cannot say" in result.stdout
    assert "--rounds" in result.stdout


def test_conditions_that_differ_are_listed_with_both_values(measure: Measure, run: CommandLine):
    result = run("compare", measure("a", 0.5), measure("b", 0.5, governor="performance"))

    assert result.exit_code == 0
    conditions = result.stdout.split("Different conditions\n")[1].splitlines()
    assert [line.split() for line in conditions if line.startswith("device.governor")] == [
        ["device.governor", "ondemand", "performance", "marked", "all"]
    ]
    sha256 = next(line for line in conditions if line.startswith("variant.sha256"))
    assert sha256.split()[1:] == ["a" * 12 + "…", "b" * 12 + "…", "marked", "int8-tflite,", "pi,", "1", "thread"]


def test_another_device_is_refused_with_both_values(measure: Measure, run: CommandLine):
    result = run("compare", measure("a", 0.5), measure("b", 0.5, model="Raspberry Pi 4"), "--fail-if", "size > +1%")

    assert isinstance(result.exception, InputError)
    assert "device.model is Raspberry Pi 5 in A and Raspberry Pi 4 in B" in str(result.exception)
    assert "device.model" in result.stdout
    assert "everything refused" in result.stdout


def test_the_state_of_power_is_read_from_what_the_battery_said(measure: Measure, run: CommandLine):
    sensed = json.dumps({"sensed": [{"sensor": "battery-service"}]})
    a, b = measure("a", 0.5, sensors=sensed, plugged=0.0), measure("b", 0.5, sensors=sensed, plugged=1.0)

    result = run("compare", a, b, "--json")

    (conditions,) = (job["conditions"] for job in json.loads(result.stdout)["jobs"] if job["variant"] == "int8-tflite")
    assert {"key": "device.power", "before": "on battery", "after": "plugged in", "refuses": None} in conditions


def test_json_has_every_figure(measure: Measure, run: CommandLine):
    result = run(
        *("compare", measure("a", 0.5), measure("b", 0.6, size_bytes=1100, quality=0.87)),
        *("--fail-if", "quality < -0.5", "--json"),
    )

    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["outcome"] == "fails"
    reference, int8 = found["jobs"]
    assert reference["latency"] == {"not_compared": "it is the reference, which the others are compared by"}
    assert int8["latency"]["ratio"] == pytest.approx(1.2)
    assert int8["latency"]["low"] < 1.2 < int8["latency"]["high"]
    assert int8["latency"]["verdict"] == "difference"
    assert int8["latency"]["in_a"]["value"] == pytest.approx(0.5)
    assert int8["latency"]["in_a"]["rounds"] == ROUNDS
    assert int8["size"] == {"ratio": 1.1, "in_a_bytes": 1000, "in_b_bytes": 1100}
    assert int8["quality"]["gain"] == pytest.approx(-0.03)
    assert int8["quality"]["verdict"] == "worse"
    assert [(row["outcome"], row["limit"]) for row in found["limits"]] == [("fails", "quality < -0.5")] * 2


def test_exit_codes_of_the_process(measure: Measure, home: Path):
    a, b = measure("a", 0.5), measure("b", 0.6)

    failed = pocketbench("compare", a, b, "--fail-if", "latency > +5%", home=home)
    refused = pocketbench("compare", a, b, "--fail-if", "latency > 5%", home=home)
    same = pocketbench("compare", a, "20260725T093000Z-net-a", home=home)

    assert (failed.returncode, failed.stderr) == (1, "")
    assert refused.returncode == 2
    assert refused.stderr.startswith("pocketbench: --fail-if: expected a metric (latency, size, quality), < or >")
    assert refused.stdout == ""
    assert same.returncode == 2
    assert "expected two campaigns" in same.stderr


def test_findings_end_in_what_to_do(measure: Measure, run: CommandLine):
    campaign = measure("a", 1.4, copy=1.05)

    lines = run("results", "show", campaign).stdout.splitlines()

    findings = [line for line in lines if line.startswith("Finding: ")]
    assert len(findings) == 2
    assert "is quantized and yet slower than its float reference (1.4" in findings[0]
    assert "The reference against itself is 1.05" in findings[1]
    assert findings[1].endswith("look at pocketbench device check pi.")


def test_a_campaign_that_looks_right_has_no_findings(measure: Measure, run: CommandLine):
    assert "Finding" not in run("results", "show", measure("a", 0.5)).stdout
