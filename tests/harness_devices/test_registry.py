"""The registry: what is added is there, by hand or by command; what is wrong is refused before anything is written."""

from __future__ import annotations

import resource
import threading
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.registry import Device, Registry, new_device

PI = Device("kitchen-pi", "ssh://pi@kitchen", "generic-linux", PurePosixPath("/home/pi/pocketbench"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "devices.yaml"


@pytest.fixture
def registry(path):
    return Registry(path)


def test_this_computer_is_always_there(registry, tmp_path, path):
    assert registry.list() == [registry.get("local")]
    local = registry.get("local")
    assert (local.address, local.profile) == ("local:", "this-computer")
    assert local.directory == PurePosixPath(tmp_path / "device")
    assert not path.exists()


def test_an_added_device_is_there_for_the_next_process(registry, path):
    registry.add(PI)
    phone = new_device("Phone_1", "adb://1A051FDF6007XY")
    registry.add(phone)
    again = Registry(path)
    assert again.get("kitchen-pi") == PI
    assert [device.name for device in again.list()] == ["local", "Phone_1", "kitchen-pi"]


def test_the_file_can_be_written_by_hand(registry, path):
    path.write_text(
        "version: 1\n"
        "devices:\n"
        "  - name: kitchen-pi   # on the shelf\n"
        "    address: ssh://pi@kitchen\n"
        "    profile: generic-linux\n"
        "    directory: /home/pi/pocketbench\n"
    )
    assert registry.get("kitchen-pi") == PI


def test_a_removed_device_is_gone(registry):
    registry.add(PI)
    registry.remove("kitchen-pi")
    assert [device.name for device in registry.list()] == ["local"]
    with pytest.raises(InputError, match="expected a registered device, got 'kitchen-pi'"):
        registry.get("kitchen-pi")


def test_an_unknown_device_offers_the_nearest(registry):
    registry.add(PI)
    for ask in (registry.get, registry.remove):
        with pytest.raises(InputError, match="got 'kitchenpi'; did you mean 'kitchen-pi'"):
            ask("kitchenpi")


@pytest.mark.parametrize("name", ["kitchen-pi", "Kitchen-Pi"])
def test_a_name_is_given_once(registry, name):
    registry.add(PI)
    with pytest.raises(InputError, match="taken by ssh://pi@kitchen"):
        registry.add(replace(PI, name=name, address="ssh://other"))
    assert registry.get("kitchen-pi") == PI


@pytest.mark.parametrize("name", ["local", "Local"])
def test_local_is_built_in(registry, name):
    with pytest.raises(InputError, match="this computer"):
        registry.add(replace(PI, name=name))
    with pytest.raises(InputError, match="this computer is built in"):
        registry.remove("local")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        *[
            ("name", name, "expected a device name")
            for name in ("", "a b", "-x", ".x", "a/b", "a\n", "$(x)", "ä", "x" * 64)
        ],
        ("address", "telnet://x", "expected an address"),
        ("profile", "generic-linus", "did you mean 'generic-linux'"),
        ("directory", PurePosixPath("relative"), "absolute"),
        ("directory", PurePosixPath("/"), "absolute"),
        ("directory", PurePosixPath("/a/../b"), "without '..'"),
        ("directory", PurePosixPath("/a\nb"), "control characters"),
        ("directory", PurePosixPath("/\ud800"), "control characters"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(registry, path, field, value, words):
    with pytest.raises(InputError, match=words):
        registry.add(replace(PI, **{field: value}))
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("devices: []", "'version' is missing", id="no-version"),
        pytest.param("version: 2", "version: expected 1, got 2", id="newer"),
        pytest.param("version: 1\ndevices:\n  - nam: x", "devices.yaml:3: unknown key 'devices.0.nam'", id="key"),
        pytest.param(
            "version: 1\ndevices:\n" + "  - {name: x, address: adb://1, profile: generic-linux, directory: /d}\n" * 2,
            "got 'x' twice",
            id="twice",
        ),
        pytest.param(
            "version: 1\ndevices:\n  - {name: x, address: tty, profile: generic-linux, directory: /d}",
            "device 'x': expected an address",
            id="address",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_left_alone(registry, path, text, words):
    path.write_text(text)
    for ask in (registry.list, lambda: registry.get("local"), lambda: registry.add(PI), lambda: registry.remove("x")):
        with pytest.raises(InputError, match=words):
            ask()
    assert path.read_text() == text


def test_a_failed_write_leaves_the_old_file(registry, path, tmp_path):
    registry.add(PI)
    before = path.read_text()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # every write now fails as on a full disk
    try:
        with pytest.raises(InputError, match=r"expected to write .*devices\.yaml, got File too large"):
            registry.add(replace(PI, name="other"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == before
    assert {entry.name for entry in tmp_path.iterdir()} == {"devices.yaml", ".devices.lock"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="POCKETBENCH_HOME"):
        Registry(tmp_path / "file" / "devices.yaml").add(PI)


def test_two_at_once_lose_nothing(path):
    def add(index):
        Registry(path).add(replace(PI, name=f"pi-{index}"))

    threads = [threading.Thread(target=add, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Registry(path).list()) == 9


@pytest.mark.parametrize(
    ("address", "directory", "profile", "expected_directory"),
    [
        ("local:", "/var/tmp/pb", "this-computer", "/var/tmp/pb"),
        ("ssh://pi@kitchen", "/home/pi/pb", "generic-linux", "/home/pi/pb"),
        ("adb://SERIAL", None, "generic-android", "/data/local/tmp/pocketbench"),
        ("adb+tcp://phone:5555", None, "generic-android", "/data/local/tmp/pocketbench"),
    ],
)
def test_a_new_device_gets_what_is_usual_for_its_kind(address, directory, profile, expected_directory):
    device = new_device("x", address, directory=directory)
    assert (device.profile, str(device.directory)) == (profile, expected_directory)


def test_a_board_needs_a_directory():
    with pytest.raises(InputError, match="--directory"):
        new_device("x", "ssh://pi@kitchen")
