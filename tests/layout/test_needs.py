"""What a test needs and is missing skips it with the line that installs it, but never in CI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import require_path, require_program

NOWHERE = Path("/nonexistent/chromium")


@pytest.fixture(params=["path", "program"])
def require(request: pytest.FixtureRequest) -> Callable[[], Path]:
    if request.param == "path":
        return lambda: require_path(NOWHERE, "apt-get install -y chromium")
    return lambda: require_program("no-such-chromium", "apt-get install -y chromium")


def test_a_missing_need_skips_with_the_install_line(require: Callable[[], Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="apt-get install -y chromium"):
        require()


def test_a_missing_need_fails_in_ci(require: Callable[[], Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="apt-get install -y chromium"):
        require()


def test_what_is_there_is_used(tmp_path: Path):
    assert require_path(tmp_path, "nothing") == tmp_path
    assert require_program("sh", "nothing").name == "sh"
