"""What tests of several folders need: no telemetry, and emulated devices, whose parts are kept in pytest's cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.android_device import AndroidDevice
from tests.devices.android_root import make_android_root

# Before any test module is imported: ONNX Runtime sends nothing home from here either.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@pytest.fixture(scope="session")
def device_cache(request) -> Path:
    """Where parts of devices are kept from one test run to the next."""
    return Path(request.config.cache.mkdir("devices"))


@pytest.fixture(scope="session")
def android_root(device_cache) -> Path:
    return make_android_root(device_cache)


@pytest.fixture
def android(android_root, tmp_path) -> Iterator[AndroidDevice]:
    data = tmp_path / "data"
    data.mkdir()
    with AndroidDevice(android_root, data) as device:
        yield device
