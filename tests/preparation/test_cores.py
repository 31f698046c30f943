"""Which governor and frequency each policy gets, and what is put back in which order."""

from __future__ import annotations

import pytest

from pocketbench.harness.preparation.planning import make_plan
from pocketbench.harness.preparation.survey import survey
from pocketbench.harness.preparation.wanted import parse_wanted
from tests.preparation.machine import CPUFREQ

POLICY0 = f"sys/{CPUFREQ}/policy0"


@pytest.fixture
def plan(machine, dash):
    def make(*words, platform="linux"):
        return make_plan(survey(dash, machine.place, platform), parse_wanted(words), platform)

    return make


@pytest.fixture
def phone(machine):
    """The policies of a Pixel 7."""
    files = {"scaling_available_governors": "sched_pixel performance", "scaling_governor": "sched_pixel"}
    for number, khz in (
        (0, "300000 738000 1401000 1803000"),
        (4, "400000 1197000 2348000"),
        (6, "500000 1426000 2850000"),
    ):
        words = khz.split()
        limits = {"cpuinfo_min_freq": words[0], "cpuinfo_max_freq": words[-1]}
        limits |= {"scaling_min_freq": words[0], "scaling_max_freq": words[-1]}
        machine.add_policy(f"policy{number}", scaling_available_frequencies=khz, **limits, **files)


def steps(plan):
    return [(step.node.removeprefix(f"sys/{CPUFREQ}/"), step.value) for step in plan.steps]


def saves(plan):
    return [save.node.removeprefix(f"sys/{CPUFREQ}/") for save in plan.saves]


def problems(plan):
    return {row.name: (row.status, row.reason) for row in plan.settings}


def test_a_governor_with_all_that_it_would_forget(plan):
    made = plan("governor=performance")

    assert steps(made) == [("policy0/scaling_governor", "performance")]
    first, *others = saves(made)
    assert first == "policy0/scaling_governor"
    assert sorted(others) == ["ondemand/sampling_down_factor", "ondemand/up_threshold"]


def test_governors_whose_settings_are_per_policy(plan, phone, machine):
    machine.write(f"{CPUFREQ}/policy4/sched_pixel/down_rate_limit_us", "5000")
    made = plan("governor=performance")

    assert len(steps(made)) == 3
    assert saves(made)[:3] == ["policy0/scaling_governor", "policy4/scaling_governor", "policy6/scaling_governor"]
    assert saves(made)[3:] == ["policy4/sched_pixel/down_rate_limit_us"]


def test_a_frequency_that_somebody_had_set(plan, machine):
    machine.write(f"{CPUFREQ}/policy0/scaling_governor", "userspace")
    machine.write(f"{CPUFREQ}/policy0/scaling_setspeed", "1600000")

    assert saves(plan("governor=performance")) == ["policy0/scaling_governor", "policy0/scaling_setspeed"]


@pytest.mark.parametrize(("governor", "is_saved"), [("powersave", True), ("performance", False)])
def test_the_preference_of_a_pc(plan, machine, governor, is_saved):
    machine.write(f"{CPUFREQ}/policy0/scaling_governor", governor)
    machine.write(f"{CPUFREQ}/policy0/energy_performance_preference", "balance_performance")

    assert ("policy0/energy_performance_preference" in saves(plan("governor=performance"))) is is_saved


def test_a_governor_that_is_not_offered(plan):
    assert problems(plan("governor=walt"))["policy0 governor"] == (
        "not possible",
        "it offers conservative, ondemand, userspace, powersave, performance, schedutil",
    )


@pytest.mark.parametrize(
    ("lowest", "highest", "order"),
    [
        pytest.param("1500000", "2400000", ["min", "max"], id="within"),
        pytest.param("1800000", "2400000", ["min", "max"], id="below-both"),
        pytest.param("1500000", "1600000", ["max", "min"], id="above-both"),
    ],
)
def test_the_lowest_is_never_above_the_highest(plan, machine, lowest, highest, order):
    """Before Linux 5.3 a write that would make it so is refused: setting and putting back, step by step."""
    machine.write(f"{CPUFREQ}/policy0/scaling_min_freq", lowest)
    machine.write(f"{CPUFREQ}/policy0/scaling_max_freq", highest)
    made = plan("frequency=1700MHz")
    now = {"min": int(lowest), "max": int(highest)}

    def write(node, value):
        which = node[-len("min_freq") : -len("_freq")]
        now[which] = value
        assert now["min"] <= now["max"]
        return which

    assert [write(step.node, int(step.value)) for step in made.steps] == order
    before = {"min": int(lowest), "max": int(highest)}
    for save in made.saves:
        which = save.node[-len("min_freq") : -len("_freq")]
        write(save.node, before[which])
    assert now == before


@pytest.mark.parametrize(
    ("word", "khz"),
    [
        ("frequency=50%", ["1401000", "1197000", "1426000"]),
        ("frequency=100%", ["1803000", "2348000", "2850000"]),
        ("frequency=1%", ["300000", "400000", "500000"]),
    ],
)
def test_a_share_is_the_lowest_step_that_is_not_below_it(plan, phone, word, khz):
    assert [value for name, value in steps(plan(word)) if name.endswith("max_freq")] == khz


def test_a_frequency_for_one_policy_goes_before_that_for_all(plan, phone):
    made = plan("frequency=50%", "frequency=policy6:2850MHz")

    assert {value for name, value in steps(made) if name.startswith("policy6")} == {"2850000"}
    assert len(made.steps) == 6


def test_a_whole_number_of_mhz_stands_for_the_step_that_begins_with_it(plan, machine):
    machine.write(f"{CPUFREQ}/policy0/scaling_available_frequencies", "1401600 1497600 1800000")

    assert steps(plan("frequency=1401MHz"))[0] == ("policy0/scaling_min_freq", "1401600")


def test_a_frequency_that_there_is_not(plan, phone):
    assert problems(plan("frequency=1803MHz")) == {
        "policy4 frequency": ("not possible", "it has 400, 1197, 2348 MHz"),
        "policy6 frequency": ("not possible", "it has 500, 1426, 2850 MHz"),
    }


def test_a_policy_that_there_is_not(plan, phone):
    assert problems(plan("frequency=policy7:50%")) == {
        "policy7 frequency": ("not possible", "there is no policy7; there is policy0, policy4, policy6")
    }


@pytest.mark.parametrize(("word", "khz"), [("frequency=1999MHz", "1999000"), ("frequency=75%", "1800000")])
def test_a_processor_without_a_list(plan, machine, word, khz):
    (machine.sys / CPUFREQ / "policy0/scaling_available_frequencies").unlink()

    assert steps(plan(word))[0] == ("policy0/scaling_min_freq", khz)
    assert problems(plan("frequency=3000MHz"))["policy0 frequency"] == ("not possible", "it has 1500 to 2400 MHz")


def test_a_processor_that_is_slowed_down_now(plan, machine):
    """scaling_max_freq says what is allowed at the moment: that must not become the usual one."""
    machine.write("class/thermal/cooling_device1/type", "thermal-cpufreq-0")
    machine.write("class/thermal/cooling_device1/max_state", "4")
    machine.write("class/thermal/cooling_device1/cur_state", "2")

    assert problems(plan("frequency=1700MHz"))["policy0 frequency"] == (
        "refused",
        "the kernel slows it down now (thermal-cpufreq-0 is at 2): its limit of now would be taken for the usual one",
    )
    machine.write("class/thermal/cooling_device1/cur_state", "0")
    assert len(plan("frequency=1700MHz").steps) == 2


def test_a_kernel_before_policies_had_folders(plan, machine):
    old = machine.sys / "devices/system/cpu"
    (old / "cpufreq/policy0").rename(old / "real")
    for number in range(4):
        (old / f"cpu{number}").mkdir()
        (old / f"cpu{number}/cpufreq").symlink_to("../real")

    made = plan("governor=performance")

    assert [step.node for step in made.steps] == ["sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"]
    assert len(made.saves) == 3


def test_a_board_without_cpufreq(plan, machine):
    for path in (machine.sys / CPUFREQ).rglob("scaling_governor"):
        path.unlink()

    assert problems(plan("governor=performance", "frequency=50%")) == {
        "cores": ("not possible", "no cpufreq here: the frequency is the firmware's or the host's")
    }


class TestFan:
    def test_the_duty_of_a_fan_on_a_pwm_line(self, plan):
        (step,) = plan("fan=full").steps
        assert (step.node, step.value) == ("sys/class/hwmon/hwmon2/pwm1", "255")

    def test_a_fan_that_is_a_cooling_device_only(self, plan, machine):
        machine.write("class/hwmon/hwmon2/name", "other")
        machine.write("class/thermal/cooling_device3/type", "gpio-fan")
        machine.write("class/thermal/cooling_device3/cur_state", "0")
        machine.write("class/thermal/cooling_device3/max_state", "1")
        made = plan("fan=full")

        assert [(step.node, step.value) for step in made.steps] == [
            ("sys/class/thermal/cooling_device0/cur_state", "4"),
            ("sys/class/thermal/cooling_device3/cur_state", "1"),
        ]
        assert [save.ours for save in made.saves] == ["4", "1"]

    def test_what_is_no_fan_is_left_alone(self, plan, machine):
        machine.write("class/hwmon/hwmon2/name", "other")
        machine.write("class/thermal/cooling_device0/type", "thermal-cpufreq-0")

        assert problems(plan("fan=full")) == {"fan": ("not possible", "no fan that the kernel drives")}


def test_a_screen_of_a_board(plan):
    assert problems(plan("screen=on")) == {"screen": ("not possible", "only Android's screens can be switched")}
