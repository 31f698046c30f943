"""A missing browser skips with the line that installs it, but never in CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.conftest import require_chromium

NOWHERE = Path("/nonexistent/chromium")


def test_missing_browser_skips_with_the_install_line():
    with pytest.raises(pytest.skip.Exception, match="apt-get install -y chromium"):
        require_chromium(NOWHERE, in_ci=False)


def test_missing_browser_fails_in_ci():
    with pytest.raises(pytest.fail.Exception, match="apt-get install -y chromium"):
        require_chromium(NOWHERE, in_ci=True)


def test_ci_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception):
        require_chromium(NOWHERE)


def test_browser_that_is_there_is_used(tmp_path: Path):
    found = tmp_path / "chromium"
    found.touch()

    assert require_chromium(found, in_ci=True) == found
