"""What does not look right is found, only where it is so, and each finding ends in what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pocketbench.harness.campaign.plan import LaunchSpec, Plan
from pocketbench.reports import findings as module
from pocketbench.reports.findings import findings
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.names import command, plain
from pocketbench.reports.tables import CampaignTables
from tests.reports.outline import section_text
from tests.reports.sensed import FALLEN_BACK, add_invalid, operators_of
from tests.reports.synthetic import Spec, make_tables

REFERENCE = Spec("float32-tflite", 2.0, 0.970, 400_000, recipe="float32", role="reference")
SLOW = Spec("int8-tflite", 3.0, 0.969, 100_000)
FAST = replace(SLOW, latency_ms=1.0)
COMMANDS = Path(__file__).parents[2] / "docs/commands.md"


def found(tables: CampaignTables) -> str:
    return "\n".join(plain(one) for one in findings(read_campaign(tables), "local", tables))


def profiled(tables: CampaignTables, kinds: Any = FALLEN_BACK, job_id: str = "jlocal-1-1") -> CampaignTables:
    return replace(tables, operators=pd.DataFrame(operators_of(job_id, kinds)))


def test_campaign_without_anything_odd_has_no_findings():
    assert found(make_tables([REFERENCE, FAST])) == ""


def test_quantized_that_is_slower_names_all_causes_that_are_known():
    tables = profiled(make_tables([REFERENCE, SLOW]))
    tables.devices["cpu_features"] = "sse4_2"
    text = found(tables)

    assert text.startswith("int8-tflite is quantized and yet slower than its float reference (1.5")
    assert "2 of its 4 operators only convert between float and integers, and take 30 % of the time" in text
    assert "75 % of the time is in operators that fell back" in text
    assert "no dot product of int8" in text
    assert "To do: quantize the operators between them" in text
    assert "mostly runs on the fallback" not in text, "told once"


def test_quantized_that_is_slower_without_a_known_cause_has_a_command():
    text = found(make_tables([REFERENCE, SLOW]))

    assert "its operators tell no cause. To do: measure the other format too, pocketbench compress MODEL" in text


@pytest.mark.parametrize("features", [None, "", "asimddp", "avx_vnni avx2"])
def test_cpu_that_can_or_may_multiply_int8_is_not_blamed(features: str | None):
    tables = make_tables([REFERENCE, SLOW])
    tables.devices["cpu_features"] = features

    assert "dot product" not in found(tables)


@pytest.mark.parametrize(
    "specs",
    [
        [REFERENCE, FAST],
        [REFERENCE, replace(SLOW, recipe="float16", name="float16-tflite")],
        [replace(REFERENCE, recipe="int8"), SLOW],
        [REFERENCE, replace(SLOW, latency_ms=1.985)],
    ],
    ids=["faster", "not quantized", "reference quantized", "not told apart"],
)
def test_only_what_is_quantized_and_slower_is_called_so(specs: list[Spec]):
    assert "yet slower" not in found(make_tables(specs))


def test_scheme_of_a_step_makes_quantized_too():
    step = {"step": "quantize", "options": {"scheme": "int8"}}

    assert "yet slower" in found(make_tables([REFERENCE, replace(SLOW, recipe="my-recipe", steps=(step,))]))


def test_variant_that_mostly_falls_back_names_the_operators():
    text = found(profiled(make_tables([REFERENCE, FAST])))

    assert "int8-tflite mostly runs on the fallback: 75 % of its operators' time, in CUSTOM_ATTENTION" in text
    assert text.rstrip(".").endswith("pocketbench compress MODEL --format onnx")


def test_little_fallback_is_no_finding():
    assert (
        found(profiled(make_tables([REFERENCE, FAST]), (("CONV", "XNNPACK", 0.8), ("TOPK", "interpreter", 0.2)))) == ""
    )


def test_noise_above_the_target_is_said_with_a_command():
    text = found(make_tables([REFERENCE, FAST], aa_copy=1.03))

    assert re.match(r"The reference against itself is 1\.03\d?× \[.*\], with a target of ±1\.0 %", text)
    assert "happens to one campaign in 20 by chance" in text
    assert text.endswith("pocketbench device check local.")
    assert found(make_tables([REFERENCE, FAST], aa_copy=1.03, precision=0.05, spread=0.05)) == ""


def test_launches_that_are_often_invalid_have_the_remedy_of_their_reason():
    tables = make_tables([REFERENCE, FAST], rounds=5)

    assert "To do: cool the device" in found(add_invalid(tables, 5, "throttled"))
    assert "To do: use a stronger power supply" in found(add_invalid(tables, 5, "under_voltage"))
    assert found(add_invalid(tables, 1, "throttled")) == ""
    assert found(add_invalid(tables, 5, "unheard_of")) == ""


def test_too_few_iterations_for_a_percentile_name_the_key():
    assert "(launch: {iterations: 64} in the plan)" in found(make_tables([REFERENCE, FAST], iterations=40))
    assert found(make_tables([REFERENCE, FAST], iterations=64)) == ""


def test_findings_stand_on_the_page_with_their_command_as_code():
    tables = make_tables([REFERENCE, FAST], aa_copy=1.03)

    assert "What to mend" in section_text(tables, "verdict")
    assert "pocketbench device check local" in section_text(tables, "verdict")


def test_name_that_a_shell_would_read_is_not_in_a_command():
    assert command("pocketbench", "device", "check", "kitchen-pi").text == "pocketbench device check kitchen-pi"
    assert command("pocketbench", "device", "check", "a; rm -rf ~").text == "pocketbench device check NAME"
    assert command("pocketbench", "device", "check", "--json\n").text == "pocketbench device check NAME"


def test_commands_and_keys_in_remedies_exist():
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    commands = COMMANDS.read_text(encoding="utf-8")
    called = re.findall(r'command\("pocketbench", ((?:"[a-z-]+", )*)', source)
    keys = set(re.findall(r"\b([a-z]+_[a-z_]+|rounds|precision|regime|launch|accelerators): ?[\[{a-z]", source))

    assert called
    for words in called:
        name = " ".join(re.findall(r'"([a-z-]+)"', words))
        assert f"## pocketbench {name}\n" in commands
    assert {"require_accelerator", "launch", "regime"} <= keys
    for key in re.findall(r"\((\w+): \w+ in the plan\)|\((\w+), (\w+) in the plan\)", source):
        assert set(filter(None, key)) <= set(Plan.model_fields)
    assert {"iterations", "max_time_s"} <= set(LaunchSpec.model_fields)
