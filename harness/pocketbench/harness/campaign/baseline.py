"""What a device takes with nothing to do, before and after each round, and what inferences take beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.campaign.launching import START_TIMEOUT_S, Launcher, MeteredLaunch
from pocketbench.harness.campaign.sensing import trace_records
from pocketbench.harness.runner.results import IdleResult
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.inference_energy import IDLE_SECONDS, net_energy
from pocketbench.harness.sensors.metering import window_energy
from pocketbench.harness.store.records import EnergyRecord, IdleRecord, StoredJob
from pocketbench.harness.store.writing import now

__all__ = ["Baseline"]


@dataclass(slots=True)
class Baseline:
    """Of one device; the idle process is that of `reference`, loaded and waiting."""

    launcher: Launcher
    campaign_id: str
    reference: StoredJob
    tell: Callable[[str], None]
    _before_mw: dict[str, float | None] = field(default_factory=dict, init=False)

    def take(self, number: int) -> None:
        """Before round `number`, or after the last: measure, and complete the launches since the one before."""
        name = self.launcher.reached.device.name
        self.tell(f"idle baseline of {name}")
        after_mw = self._idle_mw(number)
        for launch in self.launcher.metered:
            self.launcher.store.set_energies(
                launch.launch_id, [self._net(launch, one, after_mw) for one in launch.energies]
            )
        self.launcher.metered.clear()
        self._before_mw = after_mw

    def _idle_mw(self, number: int) -> dict[str, float | None]:
        launcher, started_at = self.launcher, now()
        device = launcher.reached.device.name

        def idle() -> IdleResult:
            runner = launcher.runner_of(self.reference.variant)
            launcher.keeping.keep(START_TIMEOUT_S + IDLE_SECONDS)
            time_ms = round(IDLE_SECONDS * 1000)
            return runner.idle(launcher.options(self.reference), time_ms, START_TIMEOUT_S + IDLE_SECONDS)

        try:
            result = launcher.retrying.do(idle)
        except (DeviceError, InputError) as error:
            launcher.retrying.raise_if_over(error)
            records = [
                IdleRecord(self.campaign_id, device, number, started_at, spec.name, None, launcher.told(error))
                for spec in launcher.sensors.power()
            ]
            launcher.store.add_idle(records, [])
            return {}
        traces = launcher.sensors.traces(result.sampling)
        window = Window(result.start_ns, result.end_ns)
        found = {spec.name: window_energy(spec, traces, window) for spec in launcher.sensors.power()}
        power_mw = {name: None if one.power_w is None else one.power_w * 1e3 for name, one in found.items()}
        launcher.store.add_idle(
            [
                IdleRecord(self.campaign_id, device, number, started_at, name, power_mw[name], one.reason)
                for name, one in found.items()
            ],
            trace_records(traces),
        )
        return power_mw

    def _net(self, launch: MeteredLaunch, energy: EnergyRecord, after_mw: dict[str, float | None]) -> EnergyRecord:
        net = net_energy(
            energy.gross_mj, launch.inference_s, self._before_mw.get(energy.sensor), after_mw.get(energy.sensor)
        )
        flags = " ".join([*energy.flags.split(), *net.flags])
        return replace(energy, idle_mw=net.idle_mw, net_mj=net.net_mj, flags=flags)
