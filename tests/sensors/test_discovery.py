"""From a listing of a device to specs, and from its texts to readings."""

from __future__ import annotations

import pytest

from pocketbench.harness.sensors import catalogue, fuel_gauge, ina2xx, odpm
from pocketbench.harness.sensors.catalogue import discover
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Reading, known
from pocketbench.harness.sensors.spec import Discovered, SensorSpec
from tests.checkup.phones import BATTERY, SAMSUNG_THERMAL, THERMAL
from tests.sensors.captures import (
    ODPM,
    PMIC,
    STAT,
    TIME_IN_STATE,
    jetson_listing,
    listing_of,
    pi_5_listing,
    pixel_listing,
    rapl_listing,
)


def spec(found: Discovered, name: str) -> SensorSpec:
    return next(spec for spec in found.specs if spec.name == name)


def why(found: Discovered, name: str) -> str:
    return next(absent.reason for absent in found.absent if absent.name == name)


def read(found: Discovered, name: str, **texts: str) -> dict[tuple[str, str], float | None]:
    """Values by quantity and source, of texts by the last words of the nodes' keys."""
    values = {}
    for node in spec(found, name).nodes:
        text = next(text for ending, text in texts.items() if node.key.endswith(ending))
        values.update({(reading.quantity, reading.source): reading.value for reading in node.parse(text.encode())})
    return values


def test_a_raspberry_pi_5():
    found = discover(pi_5_listing())

    assert {one.name for one in found.specs} == {
        *("cpu-frequency", "cpu-load", "load-average", "memory", "raspberry-pi-pmic"),
        *("under-voltage", "thermal-zones", "vcgencmd"),
    }
    assert read(
        found,
        "vcgencmd",
        temp="temp=39.5'C\n",
        throttled="throttled=0x50005\n",
        arm="frequency(0)=2400023808\n",
        core="volt=0.7200V\n",
    ) == {
        ("temperature_c", "SoC (firmware)"): 39.5,
        ("throttled_bits", "firmware"): 0x50005,
        ("frequency_khz", "arm"): pytest.approx(2400023.808),
        ("voltage_uv", "core"): pytest.approx(720_000),
    }
    assert read(found, "cpu-frequency", scaling_cur_freq="1500000\n") == {("frequency_khz", "policy0"): 1500000}
    assert read(found, "thermal-zones", temp="48312\n") == {("temperature_c", "cpu-thermal"): 48.312}
    assert read(found, "under-voltage", alarm="1\n") == {("under_voltage_flag", "kernel"): 1}
    assert read(found, "memory", meminfo="MemAvailable: 7411232 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n") == {
        ("memory_bytes", "available"): 7411232 * 1024,
        ("memory_bytes", "swap used"): 1024 * 1024,
    }
    assert read(found, "load-average", loadavg="0.05 0.08 0.01 1/187 2211\n") == {("load_average", "1 min"): 0.05}
    assert why(found, "android-thermal") == "no program dumpsys: this is not Android"


def test_rails_of_a_raspberry_pi_5():
    found = discover(pi_5_listing())
    values = read(found, "raspberry-pi-pmic", pmic_read_adc=PMIC)

    assert (spec(found, "raspberry-pi-pmic").boundary, spec(found, "raspberry-pi-pmic").total) == ("rails", ("rails",))
    assert len(values) == 13, "twelve rails and their sum; EXT5V and BATT have no current"
    assert values["power_uw", "VDD_CORE"] == pytest.approx(6.22421 * 0.861733 * 1e6)
    total = sum(value for (_, source), value in values.items() if source != "rails" and value is not None)
    assert values["power_uw", "rails"] == pytest.approx(total)
    assert total == pytest.approx(7.2398e6, rel=1e-4)


def test_a_rail_that_is_no_number_leaves_no_sum():
    found = discover(pi_5_listing())

    values = read(found, "raspberry-pi-pmic", pmic_read_adc=PMIC.replace("0.80146440V", "nanV"))
    assert (values["power_uw", "0V8_SW"], values["power_uw", "rails"]) == (None, None)
    battery = read(found, "raspberry-pi-pmic", pmic_read_adc=PMIC.replace("(25)=0.00000000V", "(25)=nanV"))
    assert battery["power_uw", "rails"] is not None, "no current belongs to it"
    torn = read(found, "raspberry-pi-pmic", pmic_read_adc=PMIC[: PMIC.index("   0V8_AON_V")])
    assert torn["power_uw", "rails"] is None
    assert read(found, "raspberry-pi-pmic", pmic_read_adc=PMIC.replace("\n", "\0"))["power_uw", "rails"] is not None


def test_an_older_raspberry_pi_has_no_current_sensing():
    files = dict(pi_5_listing().files)
    files["/sys/firmware/devicetree/base/compatible"] = b"raspberrypi,4-model-b\0brcm,bcm2711\0"

    found = discover(Listing(files, {}, frozenset({"vcgencmd"})))

    assert "measure its input with a meter" in why(found, "raspberry-pi-pmic")


def test_a_pixel():
    found = discover(pixel_listing())

    first, second = spec(found, "odpm (iio:device0)"), spec(found, "odpm (iio:device1)")
    assert first.total == ("S10M_VDD_TPU", "VSYS_PWR_MODEM", "VSYS_PWR_RFFE", "S2M_VDD_CPUCL2")
    assert second.total == ("VSYS_PWR_WLAN_BT",)
    assert first.nodes[0].parse(ODPM.encode())[0] == known("energy_uj", "S10M_VDD_TPU", 5578756, clock_ms=349894)
    assert read(found, "frequency-residency", time_in_state=TIME_IN_STATE, total_trans="912\n") == {
        ("residency_ms", "policy0/600000"): 1200,
        ("residency_ms", "policy0/1200000"): 300,
        ("residency_ms", "policy0/1800000"): 18500,
        ("transitions", "policy0"): 912,
    }
    assert read(found, "cpu-load", stat=STAT)["cpu_total_ticks", "cpu1"] == 4860
    gauge = spec(found, "fuel-gauge")
    assert (gauge.boundary, len(gauge.nodes)) == ("battery", 4)
    assert read(found, "battery-service", battery=BATTERY) == {
        ("plugged_flag", "battery"): 1,
        ("discharging_flag", "battery"): 0,
        ("charge_uah", "battery"): 3270000,
        ("voltage_uv", "battery"): 4352000,
        ("temperature_c", "battery"): 27.4,
    }


def test_what_a_phone_refuses_is_asked_of_its_service():
    denied = {
        "/sys/class/power_supply/battery/current_now": "Permission denied",
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "Permission denied",
    }
    found = discover(listing_of({}, "cmd", "dumpsys", denied=denied))

    assert spec(found, "fuel-gauge").commands == (("cmd", "battery", "get", "current_now"),)
    assert why(found, "cpu-frequency").endswith("policy0/scaling_cur_freq: Permission denied")
    assert fuel_gauge.parse_command(b"-342812\n") == (Reading("current_raw", "battery", -342812),)
    for nothing in (b"Unknown get option: current_now\n", b"-2147483648\n", b""):
        assert fuel_gauge.parse_command(nothing)[0].value is None


def test_only_what_the_thermal_hal_says_now():
    found = discover(listing_of({}, "dumpsys"))

    assert read(found, "android-thermal", thermalservice=THERMAL) == {
        ("thermal_status", "android"): 0,
        ("temperature_c", "CPU"): 57.9,
        ("temperature_c", "VIRTUAL-SKIN"): 31.600002,
    }
    assert read(found, "android-thermal", thermalservice=SAMSUNG_THERMAL)["thermal_status", "android"] == 3
    overridden = THERMAL.replace("Override: false", "Override: true")
    assert read(found, "android-thermal", thermalservice=overridden)["thermal_status", "android"] is None


def test_a_jetson_with_hwmon():
    found = discover(jetson_listing())

    board, rails = spec(found, "ina3221-input"), spec(found, "ina3221-rails")
    assert (board.boundary, board.total) == ("board input", ("VDD_IN",))
    assert (rails.boundary, rails.total) == ("rails", ("VDD_CPU_GPU_CV (hwmon3)", "VDD_SOC (hwmon3)"))
    assert read(found, "ina3221-input", curr1_input="904\n", in1_input="5048\n") == {
        ("current_ua", "VDD_IN"): 904_000,
        ("voltage_uv", "VDD_IN"): 5_048_000,
    }


@pytest.mark.parametrize("place", ["iio:device0", "iio_device"])
def test_a_jetson_with_jetpack_4(place):
    folder = f"/sys/bus/i2c/drivers/ina3221x/6-0040/{place}"
    files = {}
    for channel, (name, milliwatts) in enumerate((("POM_5V_IN", 2875), ("POM_5V_GPU", 120), ("POM_5V_CPU", 641))):
        files[f"{folder}/rail_name_{channel}"] = f"{name}\n"
        files[f"{folder}/in_power{channel}_input"] = f"{milliwatts}\n"

    found = discover(listing_of(files))

    assert spec(found, "jetson-input").total == ("POM_5V_IN",)
    assert spec(found, "jetson-rails").total == ("POM_5V_GPU", "POM_5V_CPU")
    assert read(found, "jetson-input", in_power0_input="2875\n") == {("power_uw", "POM_5V_IN"): 2_875_000}


def test_rapl_counts_nothing_twice():
    rapl = spec(discover(rapl_listing()), "rapl")

    assert rapl.total == ("package-0", "package-0/dram")
    assert [node.wraps_at for node in rapl.nodes] == [262143328850] * 5


def test_rapl_without_permission():
    path = "/sys/class/powercap/intel-rapl:0/energy_uj"
    found = discover(listing_of({}, denied={path: "Permission denied"}))

    assert why(found, "rapl") == f"{path}: Permission denied"


@pytest.mark.parametrize("name", ["ina219", "ina226"])
def test_a_meter_on_the_i2c_bus(name):
    folder = "/sys/class/hwmon/hwmon1"
    files = {
        "name": name,
        "in0_input": "4",
        "in1_input": "5120",
        "curr1_input": "812",
        "power1_input": "4157440",
        "shunt_resistor": "100000",
    }
    listing = listing_of({f"{folder}/{file}": f"{text}\n" for file, text in files.items()})
    found = discover(listing)

    assert read(found, f"{name} (hwmon1)", curr1_input="812\n", in1_input="5120\n") == {
        ("current_ua", f"{name} (hwmon1)"): 812_000,
        ("voltage_uv", f"{name} (hwmon1)"): 5_120_000,
    }
    assert ina2xx.shunt_micro_ohm(listing, "hwmon1") == 100_000


def test_a_power_z():
    folder = "/sys/class/hwmon/hwmon4"
    found = discover(
        listing_of({f"{folder}/name": "powerz\n", f"{folder}/in0_input": "5048\n", f"{folder}/curr1_input": "-904\n"})
    )

    assert read(found, "powerz", curr1_input="-904\n", in0_input="5048\n")["current_ua", "VBUS"] == -904_000


def test_zones_of_one_type_keep_their_number_and_dead_ones_are_left_out():
    zones = {"0": ("cpu", "41000"), "1": ("cpu", "42000"), "2": ("absent", "-273000"), "10": ("skin", "305")}
    files = {}
    for number, (kind, text) in zones.items():
        files[f"/sys/class/thermal/thermal_zone{number}/type"] = f"{kind}\n"
        files[f"/sys/class/thermal/thermal_zone{number}/temp"] = f"{text}\n"

    nodes = spec(discover(listing_of(files)), "thermal-zones").nodes

    sources = [node.parse(b"41000\n")[0].source for node in nodes]
    assert sources == ["cpu (thermal_zone0)", "cpu (thermal_zone1)", "skin"]


def test_a_device_that_can_say_nothing_says_why():
    found = discover(listing_of({}))

    assert found.specs == ()
    assert len(found.absent) >= len(catalogue.SENSORS)
    assert all(absent.reason for absent in found.absent)


def test_rails_of_a_pixel_have_names_and_a_rate():
    text = b"CH0[S10M_VDD_TPU]:Tensor\nCH3[S2M_VDD_CPUCL2]:CPU\n"

    assert odpm.parse_enabled_rails(text) == {"S10M_VDD_TPU": "Tensor", "S2M_VDD_CPUCL2": "CPU"}
    assert odpm.parse_sampling_rate_hz(b"125.000000\n") == 125.0
    assert odpm.parse_sampling_rate_hz(b"fast\n") is None
