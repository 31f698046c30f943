"""What happens around an emulated board: it warms up with its load, slows down where it is too hot, and takes power.

    with Board(tmp_path / "board") as board, World(board) as world:
        world.meets(Launch(beside=Span(1.0)))  # after a second of the next inferences, something else runs too

A model of one body: its temperature nears `AMBIENT_C` plus the power times `KELVIN_PER_W` with the time `COOLING_S`,
some hundred times faster than a board's. At `HOT_C` the firmware lowers the clock until it is `COOL_C`, and says so in
the bits of `vcgencmd get_throttled`; inferences (tests/protocol/paced_engine.c) then take longer by the same factor.
Every file is written in place and keeps its length, so that who reads it meanwhile sees one value or the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.devices.board import Board

__all__ = ["HOT_C", "IDLE_W", "Launch", "Span", "World"]

AMBIENT_C = 25.0
KELVIN_PER_W = 6.0
COOLING_S = 0.2
HOT_C, COOL_C = 80.0, 70.0
# Raspberry Pi's firmware: 1 Arm frequency capped, 2 throttled; 0 under-voltage. The same 16 higher: since the start.
_HOT_BITS, _LOW_SUPPLY_BIT, _SINCE_START = 0b0110, 0b0001, 16
FULL_KHZ, SLOW_KHZ = 1_800_000, 1_000_000
IDLE_W, BUSY_W, BESIDE_W = 2.5, 5.0, 12.0
_SUPPLY_V = 5.1219  # no multiple of the 4 mV that an INA219 sees
_STEP_S = 0.005
_PRIORITY = -10  # as the board's: what this computer does otherwise is not of that world
# How many times slower inferences are now. Whoever makes them locks the file meanwhile.
_PAGE = struct.Struct("<d")
_MOST_SHOWN_C = 99.9  # one character more would change the length of the files

_POLICY = "devices/system/cpu/cpufreq/policy0"
_METER = "class/hwmon/hwmon1"


@dataclass(frozen=True)
class Span:
    """A time, in seconds since inferences began."""

    start_s: float = 0.0
    end_s: float = math.inf


@dataclass(frozen=True)
class Launch:
    """What inferences meet: `pace` is how many times longer they take, whatever the clock. For a span of them,
    something else runs beside them, which heats the board; the supply is too weak; the meter of power cannot be read.
    """

    pace: float = 1.0
    beside: Span | None = None
    low_supply: Span | None = None
    meter_fails: Span | None = None


def _constant(_: float) -> float:
    return BUSY_W


class World:
    """Around one board, in a thread, until the end of `with`. `watts` is the power of inferring at full clock, by the
    seconds of time.monotonic(), which is the board's own clock too. All but `slowed` may be set at any time."""

    def __init__(self, board: Board, watts: Callable[[float], float] = _constant) -> None:
        self.ambient_c = AMBIENT_C
        self.meter_works = True
        self.slowed = False
        """Inferences since the last `meets` were slowed down by heat."""
        self._watts = watts
        self._launch = Launch()
        self._celsius = AMBIENT_C + KELVIN_PER_W * IDLE_W
        self._hot = False
        self._bits = 0
        self._met_s = 0.0
        # When the inferences began that meet `_launch`.
        self._began_s: float | None = None
        self._spent_s = {SLOW_KHZ: 0.0, FULL_KHZ: 0.0}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="world")
        self._files = _Files(board)

    def meets(self, launch: Launch) -> None:
        """From now on inferences meet this."""
        self._launch, self._met_s = launch, time.monotonic()
        self.slowed = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()
        self._files.close()

    def _run(self) -> None:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PRIORITY)  # of this thread only (sched(7))
        last_s = time.monotonic()
        while not self._stop.wait(_STEP_S):
            now_s = time.monotonic()
            self._step(now_s, now_s - last_s)
            last_s = now_s

    def _step(self, now_s: float, passed_s: float) -> None:
        works = self._files.are_locked()
        if not works:
            self._began_s = None
        elif self._began_s is None or self._began_s < self._met_s:
            self._began_s = now_s
        launch = self._launch
        low = self._is_in(launch.low_supply, now_s)
        khz = SLOW_KHZ if self._hot or low else FULL_KHZ
        power_w = self._watts(now_s) * khz / FULL_KHZ if works else IDLE_W
        power_w += BESIDE_W if self._is_in(launch.beside, now_s) else 0.0
        self._celsius = self._later(power_w, passed_s)
        self._hot = self._celsius > (COOL_C if self._hot else HOT_C)
        self._bits = self._bits >> _SINCE_START << _SINCE_START | self._hot * _HOT_BITS | low * _LOW_SUPPLY_BIT
        self._bits |= self._bits << _SINCE_START & 0xFFFFFFFF
        self._spent_s[khz if self._files.kernel_knows else FULL_KHZ] += passed_s
        self.slowed |= works and self._hot
        self._files.set_slower(launch.pace * (FULL_KHZ / SLOW_KHZ if self._hot or low else 1.0))
        self._tell(khz, power_w, low, self.meter_works and not self._is_in(launch.meter_fails, now_s))

    def _is_in(self, span: Span | None, now_s: float) -> bool:
        return span is not None and self._began_s is not None and span.start_s <= now_s - self._began_s < span.end_s

    def _later(self, power_w: float, passed_s: float) -> float:
        end = self.ambient_c + KELVIN_PER_W * power_w
        return end + (self._celsius - end) * math.exp(-passed_s / COOLING_S)

    def _tell(self, khz: int, power_w: float, low: bool, meter_works: bool) -> None:
        """What it is now, in the words of a Raspberry Pi 4 with an INA219; its kernel knows the clock only where there
        is no firmware that lowers it (raspberrypi/linux issue 5874)."""
        files = self._files
        celsius = min(self._celsius, _MOST_SHOWN_C)
        files.write("zone", f"{celsius * 1000:05.0f}\n")
        files.write("measure_temp", f"temp={celsius:04.1f}'C\n")
        files.write("get_throttled", f"throttled=0x{self._bits:08x}\n")
        files.write("measure_clock_arm", f"frequency(48)={khz * 1000:010d}\n")
        files.write("alarm", f"{low:d}\n")
        milliampere, millivolt = round(power_w / _SUPPLY_V * 1000), round(_SUPPLY_V * 250) * 4
        files.write("current", f"{milliampere:06d}\n" if meter_works else "######\n")
        files.write("voltage", f"{millivolt:06d}\n")
        files.write("kernel_clock", f"{khz if files.kernel_knows else FULL_KHZ:07d}\n")
        files.write("residency", "".join(f"{one} {seconds * 100:010.0f}\n" for one, seconds in self._spent_s.items()))


class _Files:
    """The files of the board that tell of its world, and the page that its engine shares."""

    def __init__(self, board: Board) -> None:
        self.kernel_knows = not board.has_firmware
        firmware = board.folder / "vcgencmd"
        paths = {
            "zone": board.sys / "class/thermal/thermal_zone0/temp",
            **{name: firmware / name for name in ("measure_temp", "get_throttled", "measure_clock_arm")},
            "alarm": board.sys / "class/hwmon/hwmon0/in0_lcrit_alarm",
            "current": board.sys / _METER / "curr1_input",
            "voltage": board.sys / _METER / "in1_input",
            "kernel_clock": board.sys / _POLICY / "scaling_cur_freq",
            "residency": board.sys / _POLICY / "stats/time_in_state",
        }
        self._fds = {name: _opened(path) for name, path in paths.items()}
        self._written: dict[str, str] = {}
        page = board.folder / "world/page"
        page.write_bytes(_PAGE.pack(1.0))
        self._page_fd = _opened(page)
        self._page = mmap.mmap(self._page_fd, _PAGE.size)

    def write(self, name: str, text: str) -> None:
        if self._written.get(name) == text:
            return
        if name not in self._written:
            os.ftruncate(self._fds[name], len(text))  # what stood there before may be longer
        os.pwrite(self._fds[name], text.encode(), 0)
        self._written[name] = text

    def are_locked(self) -> bool:
        try:
            fcntl.flock(self._page_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._page_fd, fcntl.LOCK_UN)
        return False

    def set_slower(self, times: float) -> None:
        _PAGE.pack_into(self._page, 0, times)

    def close(self) -> None:
        self._page.close()
        for fd in (self._page_fd, *self._fds.values()):
            os.close(fd)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
