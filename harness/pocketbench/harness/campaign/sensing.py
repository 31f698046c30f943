"""What the sensors of a device say about a launch: conditions, signs of throttling, temperatures, energy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pocketbench.checked.errors import DeviceError
from pocketbench.harness.errors import TransportError
from pocketbench.harness.measure.throttle import android_declares, pi_declares, pi_under_voltage, sampled_share
from pocketbench.harness.measure.validity import Conditions
from pocketbench.harness.runner.results import SamplerOptions, Sampling
from pocketbench.harness.sensors.catalogue import discover_on
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.frequency_residency import residency_share
from pocketbench.harness.sensors.sampling import records_of, sensor_requests
from pocketbench.harness.sensors.spec import Absent, CommandNode, Node, SensorSpec
from pocketbench.harness.sensors.traces import Trace, TraceKey, node_table, traces_of
from pocketbench.harness.store.records import TraceRecord
from pocketbench.harness.transports.base import Transport

__all__ = ["DeviceSensors", "LaunchSigns", "find_sensors", "processor_temperature", "trace_records"]

Traces = Mapping[TraceKey, Trace]

# Of the sampler (src/sensor.h).
_MOST_NODES = 128
_TEMPERATURE_TIMEOUT_S = 15.0
# Gaps count for sensors that throttling is known by; faster ones have rules of their own (sensors/energy.py).
_SLOWEST_HZ = 2.0
# What names the processor's own zone: https://docs.kernel.org/driver-api/thermal has no list, so by what devices say.
_PROCESSOR_WORDS = ("soc", "cpu", "x86_pkg", "package")


@dataclass(frozen=True, slots=True)
class LaunchSigns:
    """What `assess_launch` wants to know besides the samples, and what is shown of it."""

    conditions: Conditions = field(default_factory=Conditions)
    declared_throttling: bool | None = None
    share_at_frequency: float | None = None
    temperature_max_c: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceSensors:
    """The sensors of one device that launches are sampled with; `absent` says what it does not have, and why.

    `fixed_khz` has the policies that were set to one frequency: it is what they are expected at, not their highest.
    """

    specs: tuple[SensorSpec, ...] = ()
    absent: tuple[Absent, ...] = ()
    governor: str | None = None
    fixed_khz: Mapping[str, int] = field(default_factory=dict)

    def options(self) -> SamplerOptions | None:
        """What the runner is asked to sample; None where there is nothing."""
        return SamplerOptions(sensor_requests(self.specs)) if self.specs else None

    def traces(self, sampling: Sampling | None) -> Traces:
        """A series for each thing that was sensed."""
        return {} if sampling is None else traces_of(self.specs, records_of(sampling.readings))

    def power(self) -> tuple[SensorSpec, ...]:
        """Those that meter power."""
        return tuple(spec for spec in self.specs if spec.boundary is not None)

    def temperature(self, transport: Transport) -> float | None:
        """The processor's temperature in °C now; None where no sensor says."""
        node = self._temperature_node()
        if node is None:
            return None
        command = node.command if isinstance(node, CommandNode) else ("cat", node.path)
        completed = transport.run(command, timeout_s=_TEMPERATURE_TIMEOUT_S)
        values = [one.value for one in node.parse(completed.stdout) if one.quantity == "temperature_c"]
        known = [value for value in values if value is not None]
        return max(known, default=None)

    def _temperature_node(self) -> Node | None:
        """The node that the hottest part of the processor is likely read from."""
        firmware = [node for node in self._nodes("vcgencmd") if "measure_temp" in node.key]
        named = [node for node in self._nodes("thermal-zones") if _is_processor(_source(node))]
        for nodes in (firmware, named, self._nodes("android-thermal"), self._nodes("thermal-zones")):
            if nodes:
                return nodes[0]
        return None

    def _nodes(self, name: str) -> list[Node]:
        return [node for spec in self.specs if spec.name == name for node in spec.nodes]

    def signs(
        self, traces: Traces, sampling: Sampling | None, window: Window | None, cores: tuple[int, ...] | None
    ) -> LaunchSigns:
        """Put together what was sensed during a launch; `window` is its steady part, `cores` what it was pinned to."""
        bits = _values(traces, "throttled_bits")
        statuses = _values(traces, "thermal_status")
        plugged = _values(traces, "plugged_flag")
        low = _values(traces, "under_voltage_flag")
        declared = [
            android_declares([int(value) for value in statuses]),
            pi_declares(*_edges(bits)) if bits else None,
            _any(_counted_up(traces, "throttle_count")),
        ]
        under_voltage = [pi_under_voltage(*_edges(bits)) if bits else None, max(low) > 0 if low else None]
        conditions = Conditions(
            under_voltage=_any(under_voltage),
            frequency_is_fixed=True
            if self.fixed_khz
            else None
            if self.governor is None
            else self.governor == "performance",
            charger_changed=len(set(plugged)) > 1 if plugged else None,
            largest_gap_periods=self._largest_gap(sampling, window),
        )
        temperatures = processor_temperature(traces)
        return LaunchSigns(
            conditions,
            _any(declared),
            _share(traces, window, cores, self.fixed_khz),
            max(temperatures.values) if temperatures is not None else None,
        )

    def _largest_gap(self, sampling: Sampling | None, window: Window | None) -> float | None:
        if sampling is None or window is None:
            return None
        slow = {
            index: spec.period_ns
            for index, (spec, _) in enumerate(node_table(self.specs))
            if spec.rate_hz <= _SLOWEST_HZ
        }
        times: dict[int, list[int]] = {}
        for reading in sampling.readings:
            if reading.sensor in slow:
                times.setdefault(reading.sensor, []).append(reading.start_ns)
        return max((_gap(series, window) / slow[index] for index, series in times.items()), default=None)

    def to_json(self) -> str:
        """What is sensed, and why the rest is not."""
        sensed = [
            {"sensor": spec.name, "rate_hz": spec.rate_hz, "boundary": spec.boundary, "nodes": len(spec.nodes)}
            for spec in self.specs
        ]
        absent = [{"sensor": one.name, "reason": one.reason} for one in self.absent]
        return json.dumps({"sensed": sensed, "absent": absent})


def find_sensors(transport: Transport, governor: str | None) -> DeviceSensors:
    """Ask the device. One that gives no whole answer has no sensors, with the reason; where it is gone, an error."""
    try:
        found = discover_on(transport)
    except TransportError:
        raise
    except DeviceError as error:
        return DeviceSensors((), (Absent("all", str(error)),), governor)
    specs: list[SensorSpec] = []
    absent = list(found.absent)
    nodes = 0
    for spec in found.specs:
        if nodes + len(spec.nodes) > _MOST_NODES:
            absent.append(Absent(spec.name, f"more than {_MOST_NODES} things to read in all"))
            continue
        specs.append(spec)
        nodes += len(spec.nodes)
    return DeviceSensors(tuple(specs), tuple(absent), governor)


def processor_temperature(traces: Traces) -> Trace | None:
    """The series that got hottest of those that are the processor's by name, or of all where none is."""
    series = [trace for key, trace in traces.items() if key[1] == "temperature_c" and len(trace)]
    named = [trace for trace in series if _is_processor(trace.source)]
    return max(named or series, key=lambda trace: float(trace.values.max()), default=None)


def trace_records(traces: Traces) -> list[TraceRecord]:
    """For the store; what never had a value is left out."""
    return [
        TraceRecord(key[0], trace.quantity, trace.source, trace.times_ns, trace.values)
        for key, trace in traces.items()
        if len(trace)
    ]


def _is_processor(source: str) -> bool:
    return any(word in source.lower() for word in _PROCESSOR_WORDS)


def _source(node: Node) -> str:
    return next((reading.source for reading in node.parse(b"")), "")


def _values(traces: Traces, quantity: str) -> list[float]:
    return [float(value) for key, trace in traces.items() if key[1] == quantity for value in trace.values]


def _counted_up(traces: Traces, quantity: str) -> list[bool]:
    """Of each counter by itself: those of two processors differ from the start."""
    return [
        bool(trace.values[-1] > trace.values[0]) for key, trace in traces.items() if key[1] == quantity and len(trace)
    ]


def _edges(bits: Sequence[float]) -> tuple[int, list[int], int]:
    whole = [int(value) for value in bits]
    return whole[0], whole, whole[-1]


def _any(signs: Iterable[bool | None]) -> bool | None:
    """True where one says so, None where none says anything."""
    known = [sign for sign in signs if sign is not None]
    return any(known) if known else None


def _gap(times_ns: Sequence[int], window: Window) -> int:
    """The longest time without a reading that the window has a part in; its edges count where none is beyond them."""
    before = max((time for time in times_ns if time <= window.start_ns), default=window.start_ns)
    after = min((time for time in times_ns if time >= window.end_ns), default=window.end_ns)
    inside = [time for time in times_ns if before < time < after]
    return int(np.diff([before, *inside, after]).max())


def _share(
    traces: Traces, window: Window | None, cores: tuple[int, ...] | None, fixed_khz: Mapping[str, int]
) -> float | None:
    """Share of the steady part at the highest frequency, or the fixed one: of the slowest core that was used.

    Not pinned, the work was where the clock was high: of the fastest. A Raspberry Pi's kernel does not know its
    frequency (cpu_frequency.py); its firmware does.
    """
    if window is None:
        return None
    firmware = next((trace for key, trace in traces.items() if key[:2] == ("vcgencmd", "frequency_khz")), None)
    if firmware is not None:
        kernel = _values(traces, "frequency_khz")
        return sampled_share(_inside(firmware, window), max(kernel)) if len(firmware) and kernel else None
    shares = {
        policy: share
        for policy, tables in _tables(traces, window).items()
        if (share := residency_share(*tables, fixed_khz.get(policy, max(tables[0])))) is not None
    }
    used = shares if cores is None else {policy: shares[policy] for policy in _policies(shares, cores)}
    if not used:
        return None
    return max(used.values()) if cores is None else min(used.values())


def _inside(trace: Trace, window: Window) -> list[float]:
    kept = (trace.times_ns >= window.start_ns) & (trace.times_ns <= window.end_ns)
    return [float(value) for value in trace.values[kept]]


def _tables(traces: Traces, window: Window) -> dict[str, tuple[dict[int, int], dict[int, int]]]:
    """By policy, the first and the last table of milliseconds by kHz that were read in the window."""
    tables: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
    for (_, quantity, source), trace in traces.items():
        policy, _, khz = source.partition("/")
        values = _inside(trace, window) if quantity == "residency_ms" else []
        if len(values) >= 2 and khz.isdigit():
            first, last = tables.setdefault(policy, ({}, {}))
            first[int(khz)], last[int(khz)] = int(values[0]), int(values[-1])
    return tables


def _policies(shares: Mapping[str, float], cores: Sequence[int]) -> set[str]:
    """The policies of some cores: each is called after its first core."""
    firsts = sorted((int(digits), policy) for policy in shares if (digits := policy.removeprefix("policy")).isdigit())
    return {
        max(((first, policy) for first, policy in firsts if first <= core), default=(0, ""))[1] for core in cores
    } - {""}
