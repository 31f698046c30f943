"""Governors and fixed frequencies, policy by policy (admin-guide/pm/cpufreq.rst, "Policy Interface in sysfs")."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pocketbench.harness.preparation.record import Setting
from pocketbench.harness.preparation.rights import Platform
from pocketbench.harness.preparation.steps import Part, Save, Step
from pocketbench.harness.preparation.survey import Survey
from pocketbench.harness.preparation.wanted import Frequency, Wanted

__all__ = ["cores"]

_GOVERNOR_FILE = re.compile(r"(sys/devices/system/cpu/(?:cpufreq/policy|cpu)(\d{1,4})(?:/cpufreq)?)/scaling_governor")
_KHZ = range(10_000, 100_000_000)


@dataclass(frozen=True, slots=True)
class _Policy:
    """Cores that share their frequency: the folder that tells of them and the number of the first one."""

    survey: Survey
    folder: str
    number: int

    @property
    def name(self) -> str:
        return f"policy{self.number}"

    def value(self, file: str) -> str | None:
        return self.survey.value(f"{self.folder}/{file}")

    def words(self, file: str) -> list[str]:
        return (self.value(file) or "").split()

    def khz(self, file: str) -> int | None:
        """A frequency, None for what is none."""
        text = self.value(file) or ""
        return int(text) if text.isdecimal() and len(text) <= 9 and int(text) in _KHZ else None


def cores(survey: Survey, wanted: Wanted, platform: Platform) -> tuple[Part, ...]:
    """What is to be done with each policy."""
    policies = list(_policies(survey))
    parts: list[Part] = []
    if wanted.governor is not None:
        parts += [_governor(policy, wanted.governor) for policy in policies]
    for frequency in wanted.frequencies:
        parts += [_frequency(policy, frequency) for policy in policies if _serves(frequency, policy, wanted)]
        if frequency.policy is not None and all(policy.number != frequency.policy for policy in policies):
            known = ", ".join(policy.name for policy in policies) or "no policy"
            reason = f"there is no policy{frequency.policy}; there is {known}"
            parts.append(_not_possible(f"policy{frequency.policy} frequency", None, frequency.text, reason))
    if not policies and (wanted.governor or wanted.frequencies):
        where = "the maker's" if platform == "android" else "the firmware's or the host's"
        reason = f"no cpufreq here: the frequency is {where}"
        asked = wanted.governor or wanted.frequencies[0].text
        parts.append(_not_possible("cores", None, asked, reason))
    return tuple(parts)


def _policies(survey: Survey) -> Iterator[_Policy]:
    for node in survey.nodes:
        if match := _GOVERNOR_FILE.fullmatch(node):
            policy = _Policy(survey, match[1], int(match[2]))
            # Old kernels show the folder of a policy at each of its CPUs.
            related = policy.words("related_cpus")
            if "/cpufreq/policy" in policy.folder or not related or related[0] == match[2]:
                yield policy


def _serves(frequency: Frequency, policy: _Policy, wanted: Wanted) -> bool:
    """A frequency for one policy goes before that for all."""
    if frequency.policy is not None:
        return frequency.policy == policy.number
    return all(other.policy != policy.number for other in wanted.frequencies)


def _governor(policy: _Policy, name: str) -> Part:
    node, before = f"{policy.folder}/scaling_governor", policy.value("scaling_governor")
    asked, offered = f"{policy.name} governor", policy.words("scaling_available_governors")
    if name not in offered:
        reason = f"it offers {', '.join(offered) or 'none'}"
        return _not_possible(asked, node, name, reason, before)
    if before not in offered:
        return _refused(
            asked, node, name, "what it says now is none that it offers, so it could not be put back", before
        )
    saves = [Save(node, node, order=0)]
    if before != name:
        tunables = _tunables(policy, before)
        if strange := [tunable for tunable, value in tunables.items() if value is None]:
            reason = f"{before} has the setting {strange[0].rpartition('/')[2]}, which could not be put back"
            return _refused(asked, node, name, reason, before)
        saves += [Save(tunable, node, order=1) for tunable in tunables]
        saves += [Save(f"{policy.folder}/{file}", node, order=2) for file in _forgotten(policy, before)]
    return Part([Step(asked, node, name)], saves)


def _tunables(policy: _Policy, governor: str) -> dict[str, str | None]:
    """A governor's own settings, of the policy or of all: the kernel drops them with the governor."""
    folders = (f"{policy.folder}/{governor}/", f"sys/devices/system/cpu/cpufreq/{governor}/")
    return {node: value for node, value in policy.survey.tunables.items() if node.startswith(folders)}


def _forgotten(policy: _Policy, governor: str) -> Iterator[str]:
    if governor == "userspace" and policy.khz("scaling_setspeed") is not None:
        yield "scaling_setspeed"
    # With `performance` the drivers intel_pstate and amd-pstate fix it, and let nobody write it.
    if governor != "performance" and policy.value("energy_performance_preference") is not None:
        yield "energy_performance_preference"


def _frequency(policy: _Policy, frequency: Frequency) -> Part:
    lowest, highest = f"{policy.folder}/scaling_min_freq", f"{policy.folder}/scaling_max_freq"
    asked = f"{policy.name} frequency"
    minimum, maximum = policy.khz("scaling_min_freq"), policy.khz("scaling_max_freq")
    if minimum is None or maximum is None:
        reason = "it does not say between which frequencies it may choose now, so they could not be put back"
        return _refused(asked, highest, frequency.text, reason, None)
    before = f"{minimum} to {maximum}"
    if slowed := _slowed_down(policy.survey):
        reason = f"{slowed}: its limit of now would be taken for the usual one"
        return _refused(asked, highest, frequency.text, reason, before, "let it cool down first")
    try:
        khz = _choose(policy, frequency)
    except ValueError as error:
        return _not_possible(asked, highest, frequency.text, str(error), before)
    steps = [
        Step(f"{policy.name} lowest frequency", lowest, str(khz)),
        Step(f"{policy.name} highest frequency", highest, str(khz)),
    ]
    if khz > maximum:  # before Linux 5.3 the lowest is refused while it is above the highest
        steps.reverse()
    first, second = steps
    # Put back from the last to the first, for the same reason.
    saves = [Save(second.node, highest, order=3), Save(first.node, highest, order=3)]
    return Part(steps, saves)


def _slowed_down(survey: Survey) -> str | None:
    """The cooling device by which the kernel holds the cores back; scaling_max_freq says then what it allows."""
    for cooler, kind in survey.coolers.items():
        state = survey.value(f"{cooler}/cur_state")
        if "cpufreq" in kind and state not in (None, "0"):
            return f"the kernel slows it down now ({kind} is at {state})"
    return None


def _choose(policy: _Policy, frequency: Frequency) -> int:
    """One that the policy has, in kHz; ValueError with what it has."""
    fastest, slowest = policy.khz("cpuinfo_max_freq"), policy.khz("cpuinfo_min_freq")
    words = policy.words("scaling_available_frequencies") + policy.words("scaling_boost_frequencies")
    listed = sorted({int(word) for word in words if word.isdecimal() and len(word) <= 9 and int(word) in _KHZ})
    if fastest is None or slowest is None:
        raise ValueError("it does not say which frequencies it has")
    if frequency.khz is None:
        assert frequency.percent is not None
        least = math.ceil(fastest * frequency.percent / 100)
        if listed:
            # The lowest that is not below the share, as lockClocks.sh of AndroidX's benchmark library chooses.
            return next((khz for khz in listed if khz >= least), listed[-1])
        return max(least, slowest)
    if listed and frequency.khz not in listed:
        # A whole number of MHz stands for the one that begins with it: 1401 for 1401600.
        matching = [khz for khz in listed if khz // 1000 == frequency.khz // 1000]
        if len(matching) == 1:
            return matching[0]
        raise ValueError(f"it has {', '.join(f'{khz // 1000}' for khz in listed)} MHz")
    if not slowest <= frequency.khz <= fastest:
        raise ValueError(f"it has {slowest // 1000} to {fastest // 1000} MHz")
    return frequency.khz


def _not_possible(name: str, node: str | None, wanted: str, reason: str, before: str | None = None) -> Part:
    return Part(settings=[Setting(name, node, before, wanted, before, "not possible", reason)])


def _refused(name: str, node: str, wanted: str, reason: str, before: str | None, remedy: str | None = None) -> Part:
    return Part(settings=[Setting(name, node, before, wanted, before, "refused", reason, remedy)])
