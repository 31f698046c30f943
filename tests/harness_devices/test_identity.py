"""What a device is, from what real systems answer, from hostile answers, and from real shells and tools."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.device_profiles.loader import load_profile_file
from pocketbench.device_profiles.matching import match_profile
from pocketbench.harness.devices.answers import ask, split_answers
from pocketbench.harness.devices.identity import (
    DeviceIdentity,
    home_directory_there,
    identity_of,
    read_identity,
    read_properties,
)
from pocketbench.harness.devices.profile_draft import draft_for
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.local import LocalTransport
from tests.devices.android_device import AndroidDevice, AndroidShell
from tests.devices.android_root import PROPERTIES
from tests.harness_devices.fake_answers import GALAXY_S24, PI_5, PIXEL_6, Answering, answers
from tests.needs import require_program

SALT = b"a salt of 32 bytes for the tests"


def test_a_raspberry_pi_5():
    board = Answering(PI_5)
    pi = read_identity(board, PurePosixPath("/home/pi/pocketbench"), salt=SALT)

    assert (pi.platform, pi.manufacturer, pi.model, pi.soc) == (
        "linux",
        None,
        "Raspberry Pi 5 Model B Rev 1.0",
        "brcm,bcm2712",
    )
    assert (pi.libc, pi.page_size_bytes, pi.android_api, pi.abi) == ("glibc 2.36", 16384, None, None)
    assert (pi.free_bytes, pi.runs_programs) == (24369524 * 1024, True)
    assert pi.properties == {"device-tree-compatible": ("raspberrypi,5-model-b", "brcm,bcm2712")}
    assert match_profile(pi.properties, "linux") == "raspberry-pi-5"
    assert board.calls == 1


def test_a_pixel_6():
    phone = identity_of(answers(PIXEL_6), salt=SALT)

    assert (phone.platform, phone.manufacturer, phone.model, phone.soc) == (
        "android",
        "Google",
        "Pixel 6",
        "Google GS101",
    )
    assert (phone.android_release, phone.android_api, phone.security_patch) == ("14", 34, "2024-08-05")
    assert (phone.abi, phone.libc, phone.page_size_bytes) == ("arm64-v8a,armeabi-v7a,armeabi", "bionic", 4096)
    assert (phone.free_bytes, phone.runs_programs) == (55318400 * 1024, True)
    assert read_properties(Answering(PIXEL_6)) == {"ro.product.model": ("Pixel 6",)}
    assert match_profile(phone.properties, "android") == "pixel-6"


def test_a_phone_that_does_not_name_its_chip_gives_the_platform():
    assert identity_of(answers(GALAXY_S24)).soc == "exynos2400"


def test_a_summary_has_plain_values_only():
    summary = identity_of(answers(PIXEL_6), salt=SALT).summary()

    assert summary["model"] == "Google Pixel 6"
    assert summary["clusters"] == (
        "4 x Cortex-A55 up to 1803 MHz, 2 x Cortex-A76 up to 2253 MHz, 2 x Cortex-X1 up to 2802 MHz"
    )
    assert all(value is None or isinstance(value, str | int | float) for value in summary.values())


def test_the_serial_number_is_in_nothing_but_its_hash():
    for parts, serial in ((PIXEL_6, "1A051FDF6007XY"), (PI_5, "1a2b3c4d5e6f7081")):
        identity = identity_of(answers(parts), salt=SALT)
        other = identity_of(answers(parts), salt=SALT[::-1])

        assert serial not in repr(identity)
        assert re.fullmatch("[0-9a-f]{16}", identity.serial_hash or "")
        assert identity.serial_hash != other.serial_hash
        assert identity_of(answers(parts)).serial_hash is None


@pytest.mark.parametrize(
    ("gone", "left"),
    [(("tree-serial-number",), "machine-id"), (("tree-serial-number", "machine-id"), None)],
)
def test_another_number_serves_where_the_first_is_missing_or_blanked(gone, left):
    """The captured cpuinfo has a blanked serial, which many boards share."""
    parts = {name: body for name, body in PI_5.items() if name not in gone}
    parts["cpuinfo"] = re.sub(rb"Serial\t*: 0+\n", b"", parts["cpuinfo"])
    assert (identity_of(answers(parts), salt=SALT).serial_hash is None) == (left is None)


def test_a_serial_number_that_is_not_wanted_is_not_asked_for(android: AndroidDevice):
    secret = PROPERTIES["ro.serialno"].encode()
    assert secret in ask(AndroidShell(android), serial=True).parts["properties"]
    assert secret not in b"".join(ask(AndroidShell(android)).parts.values())
    serials = {"machine-id", "tree-serial-number"}
    assert ask(LocalTransport(), serial=True).parts.keys() - ask(LocalTransport()).parts.keys() == serials


def test_silence_is_not_guessed():
    silent = identity_of(split_answers(b"", "mark"), salt=SALT)
    known = {
        field.name: value
        for field in dataclasses.fields(silent)
        if (value := getattr(silent, field.name)) is not None and field.name != "facts"
    }
    assert known == {"clusters": (), "properties": {}}


def test_the_first_answer_counts_and_an_answer_cannot_pose_as_another_without_the_mark():
    output = b"\nmark tree-model\nBoard\nnot-mark tree-model\nOther\n\nmark tree-model\nAnother\n"
    assert identity_of(split_answers(output, "mark")).model == "Board not-mark tree-model Other"


@given(st.binary(max_size=400), st.sampled_from(sorted({*PI_5, *PIXEL_6, "sys_vendor", "machine-id"})))
def test_no_answer_raises_or_gives_anything_unprintable(junk, name):
    for parts in (PI_5, PIXEL_6):
        for body in (junk, parts.get(name, b"")[:40] + junk, junk + parts.get(name, b"")):
            check_plain(identity_of(answers({**parts, name: body}), salt=SALT))


@pytest.mark.parametrize(
    "junk", [b"\xff" * 5_000_000, b"9" * 5_000_000, b"[a]: [" * 500_000, b"processor : 0\n" * 300_000]
)
def test_megabytes_of_junk_are_bounded(junk):
    check_plain(identity_of(answers(dict.fromkeys({*PI_5, *PIXEL_6}, junk)), salt=SALT))


def check_plain(identity: DeviceIdentity) -> None:
    for value in identity.summary().values():
        assert not isinstance(value, str) or (value.isprintable() and value and len(value) <= 1000)
    for texts in identity.properties.values():
        assert all(text.isprintable() and text for text in texts)


class OtherTools(LocalTransport):
    """This computer with another shell, and with the commands of a box under their names."""

    def __init__(self, shell: Path, options: tuple[str, ...], folder: Path) -> None:
        self._shell, self._folder = (str(shell), *options), folder

    def run(self, argv, *, timeout_s, stdin=b""):
        assert argv[0] == "sh"
        command = ["/usr/bin/env", f"PATH={self._folder}", *self._shell, *argv[1:]]
        return super().run(command, timeout_s=timeout_s, stdin=stdin)


@pytest.mark.parametrize(
    ("box", "shell"),
    [
        pytest.param(None, ("dash",), id="coreutils-dash"),
        pytest.param(None, ("bash", "--posix"), id="coreutils-bash"),
        pytest.param("busybox", ("busybox", "ash"), id="busybox"),
        pytest.param("toybox", ("mksh",), id="toybox-mksh"),
    ],
)
def test_every_shell_and_box_asks_the_same(box, shell, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "df", "grep", "head", "uname"):
        source = require_program(box or name, f"apt-get install {box or 'coreutils'}")
        (folder / name).symlink_to(source)
    (tmp_path / "our device").mkdir()
    directory = PurePosixPath(tmp_path / "our device/not made/yet")
    device = OtherTools(require_program(shell[0], f"apt-get install {shell[0]}"), shell[1:], folder)
    here = read_identity(LocalTransport(), directory, salt=SALT)

    there = read_identity(device, directory, salt=SALT)

    assert there.free_bytes is not None
    assert here.runs_programs is not None
    changing = dataclasses.replace(there, free_bytes=here.free_bytes, libc=here.libc, facts=here.facts)
    assert changing == here
    assert dataclasses.replace(there.facts, load_average_1min=here.facts.load_average_1min) == here.facts


def test_the_android_like_device(android: AndroidDevice):
    phone = read_identity(AndroidShell(android), PurePosixPath("/data/local/tmp/pocketbench"), salt=SALT)
    card = read_identity(AndroidShell(android), PurePosixPath("/sdcard/pocketbench"))

    assert (phone.model, phone.soc, phone.android_api, phone.facts.os) == (
        PROPERTIES["ro.product.model"],
        PROPERTIES["ro.soc.model"],
        26,
        "Android 8.0.0 (API 26)",
    )
    assert [(c.core, c.cpus, c.max_khz) for c in phone.clusters] == [
        ("Cortex-A55", (0, 1, 2, 3), 1800000),
        ("Cortex-A78", (4, 5, 6, 7), 2400000),
    ]
    assert (phone.facts.governor, phone.facts.architecture, phone.libc) == ("schedutil", "aarch64", "bionic")
    assert phone.serial_hash is not None
    assert (phone.runs_programs, card.runs_programs) == (True, False)


def test_the_home_directory_is_that_of_the_user_there():
    assert home_directory_there(LocalTransport()) == PurePosixPath(Path.home())


@pytest.mark.parametrize("said", [b"", b"pi\n", b"/home/p\x1bi\n"])
def test_a_home_that_is_none_asks_for_a_directory(said):
    class Homeless(LocalTransport):
        def run(self, argv, *, timeout_s, stdin=b""):
            return dataclasses.replace(super().run(["true"], timeout_s=5), stdout=said)

    with pytest.raises(TransportError, match="--directory"):
        home_directory_there(Homeless())


@pytest.mark.parametrize("parts", [PI_5, PIXEL_6, GALAXY_S24, {}], ids=["pi", "pixel", "galaxy", "silent"])
def test_a_draft_loads_and_knows_the_device_again(parts, tmp_path):
    identity = identity_of(answers(parts))
    path = tmp_path / "my-device.yaml"

    path.write_text(
        draft_for(identity, name="my-device", pocketbench_version="1.2", measured_on=date(2026, 11, 25)),
        encoding="utf-8",
    )

    profile = load_profile_file(path)
    assert profile.platform == identity.platform
    assert [cluster.cpus.value for cluster in profile.clusters if cluster.cpus] == [c.cpus for c in identity.clusters]
    assert {(rule.property, rule.equals) for rule in profile.identity} == {
        (name, texts[0]) for name, texts in identity.properties.items()
    }
    if parts:
        assert "2026-11-25" in yaml.safe_load(path.read_text())["sources"]["own-capture"]["note"]
