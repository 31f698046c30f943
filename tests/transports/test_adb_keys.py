"""The key by which a phone knows this computer."""

from __future__ import annotations

import base64
import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.adb_keys import load_keys, public_key_blob
from tests.devices.adb_server import AdbProgram
from tests.devices.adbd_auth import is_signed_by, parse_public_key


@pytest.fixture(autouse=True)
def no_vendor_keys(monkeypatch):
    monkeypatch.delenv("ADB_VENDOR_KEYS", raising=False)


def test_a_missing_key_is_made_for_its_owner_alone(tmp_path):
    umask = os.umask(0)
    try:
        (made,) = load_keys(tmp_path / ".android")
    finally:
        os.umask(umask)

    assert stat.S_IMODE((tmp_path / ".android/adbkey").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / ".android").iterdir()) == ["adbkey", "adbkey.pub"]
    assert (tmp_path / ".android/adbkey.pub").read_bytes() == made.public_text()


def test_a_key_is_used_again(tmp_path):
    (first,), (second,) = load_keys(tmp_path), load_keys(tmp_path)

    assert first.private.private_numbers() == second.private.private_numbers()


def test_a_device_can_check_the_signature_by_the_public_key(tmp_path):
    (key,) = load_keys(tmp_path)
    token = bytes(range(20))

    public = parse_public_key(key.public_text())

    assert is_signed_by(public, token, key.sign(token))
    assert not is_signed_by(public, bytes(20), key.sign(token))
    assert "@" in public.owner


def test_a_key_of_adb_is_read_as_adb_reads_it(tmp_path):
    adb = AdbProgram(tmp_path / "adb")
    adb.folder.mkdir()
    made = adb.run("keygen", str(tmp_path / "adbkey"))
    assert made.returncode == 0, made.stderr

    (key,) = load_keys(tmp_path)

    written = (tmp_path / "adbkey.pub").read_bytes().split()[0]
    assert base64.b64encode(public_key_blob(key.private.public_key())) == written


def test_adb_reads_a_key_that_was_made_here(tmp_path):
    (key,) = load_keys(tmp_path)
    adb = AdbProgram(tmp_path / "adb")
    adb.folder.mkdir()

    said = adb.run("pubkey", str(tmp_path / "adbkey"))

    assert said.stdout.split()[0] == key.public_text().split()[0], said.stderr


def test_keys_of_vendors_come_after_the_own(tmp_path, monkeypatch):
    (vendor,) = load_keys(tmp_path / "vendor")
    (tmp_path / "folder").mkdir()
    (tmp_path / "vendor/adbkey").rename(tmp_path / "folder/one.adb_key")
    monkeypatch.setenv("ADB_VENDOR_KEYS", f"{tmp_path}/folder{os.pathsep}{os.pathsep}{tmp_path}/folder/one.adb_key")

    keys = load_keys(tmp_path / "own")

    assert [key.path.name for key in keys] == ["adbkey", "one.adb_key", "one.adb_key"]
    assert keys[1].public_text() == vendor.public_text()


def test_a_damaged_key_is_named(tmp_path):
    (tmp_path / "adbkey").write_text("no key")

    with pytest.raises(InputError, match=r"expected a private key of adb in .*/adbkey, got: .* Move it away"):
        load_keys(tmp_path)


def test_another_kind_of_key_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "adbkey").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    with pytest.raises(InputError, match="expected an RSA key of 2048 bits"):
        load_keys(tmp_path)


def test_a_place_where_none_can_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"expected the key of adb in .* or room to make it, got: File exists\."):
        load_keys(tmp_path / "file")
