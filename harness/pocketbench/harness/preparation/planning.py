"""From what is wanted and what is there to what will be set, in which order, and what will not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from pocketbench.harness.preparation.answers import Answer
from pocketbench.harness.preparation.cores import cores
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.record import Setting
from pocketbench.harness.preparation.rights import Platform
from pocketbench.harness.preparation.steps import Part, Save, Step
from pocketbench.harness.preparation.survey import Survey
from pocketbench.harness.preparation.wanted import Wanted

__all__ = ["Plan", "make_plan"]

_STAY_ON = "setting/global/stay_on_while_plugged_in"
_SCREEN_TIMEOUT = "setting/system/screen_off_timeout"
# BatteryManager.BATTERY_PLUGGED_AC, _USB, _WIRELESS and _DOCK: whatever it is plugged into.
_ANY_PLUG = "15"
# A day in ms: for a phone that is on no cable.
_LONG = "86400000"
_OTHER_VALUE = "ask for another value, or leave it as it is"


@dataclass(slots=True)
class Plan:
    """`steps` in the order of setting, `saves` in that of putting back; `settings` has what is settled already."""

    steps: list[Step] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)

    def text(self, holder: Holder, since: str) -> bytes:
        """As apply.sh reads it; `since` is the host's time."""
        lines = [f"holder {holder.text}", f"since {since}"]
        lines += [f"save {save.node} {save.ours or '-'}" for save in self.saves]
        lines += [f"set {step.node} {step.value}" for step in self.steps]
        return "".join(f"{line}\n" for line in lines).encode()

    def barred(self, survey: Survey) -> set[str]:
        """What is to be set and this user may not write to."""
        return {step.node for step in self.steps if not survey.nodes[step.node].writable}

    def leave_out(self, nodes: Set[str], survey: Survey, reason: str, what_to_do: str | None) -> None:
        """Do not set these: they are `already` so, or refused."""
        self.settings += [_not_set(step, survey, reason, what_to_do) for step in self.steps if step.node in nodes]
        self.steps = [step for step in self.steps if step.node not in nodes]
        # What is put back on behalf of something else, as a governor's settings are, goes with it.
        self.saves = [save for save in self.saves if save.on_behalf_of not in nodes]

    def settle(self, survey: Survey, answers: Mapping[str, Answer]) -> None:
        """Write down what became of each step."""
        self.settings += [_settled(step, survey, answers.get(step.node, Answer())) for step in self.steps]


def make_plan(survey: Survey, wanted: Wanted, platform: Platform) -> Plan:
    """What can be done of `wanted` by a user who may write everywhere."""
    plan = Plan()
    parts: Iterable[Part] = cores(survey, wanted, platform)
    if wanted.fan:
        parts = (*parts, _fan(survey))
    if wanted.screen:
        parts = (*parts, _screen(survey, wanted.screen, platform))
    for part in parts:
        plan.steps += part.steps
        plan.saves += part.saves
        plan.settings += part.settings
    # A governor first, then what it forgets, then the frequencies, the last one set first.
    plan.saves.sort(key=lambda save: save.order)
    return plan


def _not_set(step: Step, survey: Survey, reason: str, what_to_do: str | None) -> Setting:
    before = survey.value(step.node)
    if before == step.value:
        return Setting(step.name, step.node, before, step.value, before, "already")
    return Setting(step.name, step.node, before, step.value, before, "refused", reason, what_to_do)


def _settled(step: Step, survey: Survey, answer: Answer) -> Setting:
    before = survey.value(step.node)
    if answer.found == step.value:
        return Setting(step.name, step.node, before, step.value, answer.found, "set")
    said = "nothing" if answer.found is None else answer.found
    reason = f"written, and it says {said}" + (f" ({answer.error})" if answer.error else "")
    return Setting(step.name, step.node, before, step.value, answer.found, "refused", reason, _OTHER_VALUE)


def _fan(survey: Survey) -> Part:
    """Every fan that the kernel drives: by its duty (hwmon/pwm-fan.rst: 255 is full), else as a cooling device.

    The kernel sets a fan anew whenever the temperature crosses a trip point, so what it set last is put back.
    """
    found: dict[str, str] = {node: "255" for node in survey.nodes if node.endswith("/pwm1")}
    for cooler, kind in survey.coolers.items():
        node, full = f"{cooler}/cur_state", survey.cooler_states.get(cooler)
        is_fan = "fan" in kind and not (found and kind == "pwm-fan")
        if is_fan and node in survey.nodes and full is not None and full.isdecimal():
            found[node] = full
    steps = [Step("fan", node, full) for node, full in found.items()]
    if not steps:
        reason = "no fan that the kernel drives"
        return Part(settings=[Setting("fan", None, None, "full", None, "not possible", reason)])
    return Part(steps, [Save(step.node, step.node, order=4, ours=step.value) for step in steps])


def _screen(survey: Survey, wanted: str, platform: Platform) -> Part:
    if platform != "android":
        reason = "only Android's screens can be switched"
        return Part(settings=[Setting("screen", None, None, wanted, None, "not possible", reason)])
    steps = [Step("screen", "screen", wanted)]
    if wanted == "on":
        steps = [
            Step("screen stays on", _STAY_ON, _ANY_PLUG),
            Step("screen timeout", _SCREEN_TIMEOUT, _LONG),
            *steps,
        ]
    part = Part()
    for step in steps:
        if survey.value(step.node) is None:
            reason = "the phone does not say what it is now, so it could not be put back"
            part.settings.append(Setting(step.name, step.node, None, step.value, None, "refused", reason))
        else:
            part.steps.append(step)
            part.saves.append(Save(step.node, step.node, order=5))
    return part
