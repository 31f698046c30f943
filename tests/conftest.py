"""What all tests need: no telemetry, no hurry, an order for workers; and emulated devices, whose parts are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.devices.android_device import AndroidDevice
from tests.devices.android_root import make_android_root

# Before any test module is imported: ONNX Runtime sends nothing home from here either.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# An example may take any time: what else this computer does meanwhile is not what a test is about.
hypothesis.settings.register_profile("unhurried", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers of pytest-xdist take files in this order: slow ones first, or one has them at the end, alone."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


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
