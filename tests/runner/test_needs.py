"""A test whose need is missing skips and names what to install; in CI, where all must be there, it fails."""

from __future__ import annotations

import pytest

from tests.needs import require_path, require_program


@pytest.mark.parametrize(
    ("ci", "outcome"), [(None, pytest.skip.Exception), ("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_what_is_missing_is_named_with_what_to_install(monkeypatch, tmp_path, ci, outcome):
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)

    for require in (
        lambda: require_program("no-such-program", "apt-get install x"),
        lambda: require_path(tmp_path / "no", "apt-get install x"),
    ):
        with pytest.raises(outcome, match="got none: run `apt-get install x`"):
            require()


def test_what_is_there_is_found(tmp_path):
    assert require_program("sh", "").name == "sh"
    assert require_path(tmp_path, "") == tmp_path
