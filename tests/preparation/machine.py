"""A kernel's files in a folder of this computer, as a Raspberry Pi 5 has them, and a clock to turn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pocketbench.harness.preparation.device_scripts import Place

__all__ = ["CPUFREQ", "FAN", "Machine"]

CPUFREQ = "devices/system/cpu/cpufreq"
FAN = "class/hwmon/hwmon2/pwm1"
BOOT = "5f0c1b1e-8c4e-4a7c-9d8d-0123456789ab"

_POLICY = {
    "cpuinfo_max_freq": "2400000",
    "cpuinfo_min_freq": "1500000",
    "related_cpus": "0 1 2 3",
    "scaling_available_frequencies": "1500000 1600000 1700000 1800000 2400000 ",
    "scaling_available_governors": "conservative ondemand userspace powersave performance schedutil ",
    "scaling_driver": "cpufreq-dt",
    "scaling_governor": "ondemand",
    "scaling_max_freq": "2400000",
    "scaling_min_freq": "1500000",
    "scaling_setspeed": "<unsupported>",
}


class Machine:
    """Its files lie in `folder`; scripts see them through `place`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sys, self.proc = folder / "sys", folder / "proc"
        self.place = Place(PurePosixPath(folder / "our device"), PurePosixPath(self.sys), PurePosixPath(self.proc))
        Path(self.place.directory).mkdir(parents=True)
        self.add_policy("policy0")
        self.write(f"{CPUFREQ}/ondemand/up_threshold", "50")
        self.write(f"{CPUFREQ}/ondemand/sampling_down_factor", "50")
        self.write("class/hwmon/hwmon2/name", "pwmfan")
        self.write(FAN, "75")
        self.write("class/hwmon/hwmon0/name", "cpu_thermal")
        self.write("class/thermal/cooling_device0/type", "pwm-fan")
        self.write("class/thermal/cooling_device0/cur_state", "1")
        self.write("class/thermal/cooling_device0/max_state", "4")
        self.set_clock(1000)
        self.boot(BOOT)

    @property
    def preparation(self) -> Path:
        """What the device keeps."""
        return Path(self.place.directory) / "preparation"

    def add_policy(self, name: str, **files: str) -> None:
        """A policy like that of a Pi 5, but for `files`."""
        for file, text in {**_POLICY, **files}.items():
            self.write(f"{CPUFREQ}/{name}/{file}", text)

    def write(self, name: str, text: str) -> None:
        """As the kernel would: it is there at once, whole."""
        path = self.sys / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def read(self, name: str) -> str:
        return (self.sys / name).read_text().strip()

    def all(self) -> Mapping[str, str]:
        """Every file and what it says."""
        return {str(path.relative_to(self.sys)): path.read_text() for path in self.sys.rglob("*") if path.is_file()}

    def set_clock(self, uptime_s: int) -> None:
        self._proc("uptime", f"{uptime_s}.25 {uptime_s * 3}.50\n")

    def boot(self, boot_id: str) -> None:
        self._proc("sys/kernel/random/boot_id", f"{boot_id}\n")

    def _proc(self, name: str, text: str) -> None:
        path = self.proc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(text)
        new.replace(path)
