"""The salt is made once and kept to its owner; a serial that many devices share is none."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.serial import hash_serial, identity_salt

SALT = bytes(32)


def test_the_salt_is_made_once_for_its_owner_only(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        salts = set(pool.map(lambda _: identity_salt(tmp_path), range(32)))

    assert len(salts) == 1
    assert len(salts.pop()) == 32
    (path,) = tmp_path.iterdir()  # nothing temporary is left
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [b"", b"00", b"\xff" * 64, b"x" * 64])
def test_a_damaged_salt_is_not_replaced(tmp_path, text):
    identity_salt(tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(text)

    with pytest.raises(InputError, match=str(path)):
        identity_salt(tmp_path)
    assert path.read_bytes() == text


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match="POCKETBENCH_HOME"):
        identity_salt(tmp_path / "missing")


def test_a_hash_tells_devices_apart_and_nothing_else():
    first, second = hash_serial("1A051FDF6007XY", SALT), hash_serial("1A051FDF6007XZ", SALT)

    assert first is not None
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second
    assert first == hash_serial(" 1A051FDF6007XY\n", SALT)
    assert first != hash_serial("1A051FDF6007XY", bytes(31) + b"\1")


@pytest.mark.parametrize(
    "serial", [None, "", "0000000000000000", "unknown", "0123456789ABCDEF", "To be filled by O.E.M.", "Default string"]
)
def test_what_many_devices_share_is_no_serial(serial):
    assert hash_serial(serial, SALT) is None
