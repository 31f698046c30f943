"""An Android-like device and what it is made of, which are made once and kept in pytest's cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.android_device import AndroidDevice
from tests.devices.android_root import make_android_root


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
