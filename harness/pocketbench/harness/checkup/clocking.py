"""Who decides how fast the cores run?"""

from __future__ import annotations

from pocketbench.harness.checkup.rows import Row, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.devices.parsers import clean_text

__all__ = ["governor", "turbo"]

_POLICIES = "/sys/devices/system/cpu/cpufreq/policy*"
_GOVERNOR_FILES = f"{_POLICIES}/scaling_governor"
_NO_TURBO = "/sys/devices/system/cpu/intel_pstate/no_turbo"
_BOOST = "/sys/devices/system/cpu/cpufreq/boost"
# These look at the load every few milliseconds to tenths of seconds, or keep a frequency that somebody set
# (admin-guide/pm/cpufreq.rst). Others are fixed at the top or follow the scheduler: performance, schedutil, and what
# the makers of phones made from it (sched_pixel, walt, sugov_ext).
_LAGGING = {"conservative", "ondemand", "powersave", "userspace"}
# With these drivers "powersave" is a governor of their own, which follows the load (admin-guide/pm/intel_pstate.rst,
# admin-guide/pm/amd-pstate.rst).
_FOLLOWING_DRIVERS = {"intel_pstate", "amd-pstate-epp"}
_KEPT = "without root it stays as it is, and every result carries it"


def governor(visit: Visit) -> list[Row]:
    """One row per policy: cores that share their frequency."""
    files = visit.files(_GOVERNOR_FILES, f"{_POLICIES}/scaling_driver", f"{_POLICIES}/scaling_available_governors")
    governors = [file for file in files if file.name == "scaling_governor"]
    if not governors:
        return [not_known("governor", "no cpufreq here: the frequency is the firmware's or the host's")]
    others = {(file.folder, file.name): file.text.split() for file in files}
    rows = []
    for file in sorted(governors, key=lambda file: (len(file.folder), file.folder)):
        driver = others.get((file.folder, "scaling_driver"), [])
        available = others.get((file.folder, "scaling_available_governors"), [])
        name = None if file.problem else clean_text(file.text)
        rows.append(_governor(visit, file.folder, name, file.problem, driver[:1], available))
    return rows


def _governor(
    visit: Visit, policy: str, name: str | None, problem: str | None, driver: list[str], available: list[str]
) -> Row:
    question = f"governor {policy}"
    if name is None:
        return not_known(question, problem or "it says nothing")
    if name == "powersave" and set(driver) & _FOLLOWING_DRIVERS:
        return ok(question, f"powersave of {driver[0]}, which follows the load")
    if name not in _LAGGING:
        return ok(question, name)
    found = f"{name}: the frequency lags behind the load or stays low"
    if visit.is_android:
        return warning(question, found, f"only a rooted phone can change it; {_KEPT}")
    best = next((choice for choice in ("performance", "schedutil") if choice in available), None)
    if best is None:
        return warning(question, found, f"no better one is offered; {_KEPT}")
    return warning(
        question, found, f"on the device: echo {best} | sudo tee {_GOVERNOR_FILES}, until it restarts; {_KEPT}"
    )


def turbo(visit: Visit) -> list[Row]:
    """Frequencies that a PC holds for seconds only; no row where there is no such switch."""
    for path, on, off in ((_NO_TURBO, "0", "1"), (_BOOST, "1", "0")):
        state = (visit.file(path) or "").strip()
        if state == off:
            return [ok("turbo", "off")]
        if state == on:
            return [
                warning(
                    "turbo",
                    "on: the cores are faster while they are cool and few work",
                    f"on the device: echo {off} | sudo tee {path}, until it restarts; without root it stays on",
                )
            ]
    return []
