"""Chromium for tests that look at a page, and what a page may never do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Before any script of the page runs.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


def require_chromium(path: Path = CHROMIUM, *, in_ci: bool | None = None) -> Path:
    """`path`, or skip where it is missing; fail in CI, where a skipped check would look like a passed one."""
    if path.is_file():
        return path
    reason = f"expected Chromium at {path} to look at pages: run `apt-get install -y chromium`."
    if os.environ.get("CI") == "true" if in_ci is None else in_ci:
        pytest.fail(reason)
    pytest.skip(reason)


class Watched:
    """An open page, and everything that it must not do: `problems` is to be empty."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self._heard: list[str] = []
        page.on("console", lambda message: self._heard.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._heard.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._request(request.url, address))
        page.on("popup", lambda popup: self._heard.append("popup"))
        page.add_init_script(WATCH)
        page.goto(address)

    def _dialog(self, dialog: Any) -> None:
        self._heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str, address: str) -> None:
        if url.partition("#")[0] != address:
            self._heard.append(f"request: {url[:200]}")

    def drawn(self) -> Any:
        """The page once all plots are drawn."""
        self.page.wait_for_selector("html[data-drawn]")
        return self.page

    @property
    def problems(self) -> list[str]:
        return self._heard + [f"policy: {violation}" for violation in self.page.evaluate("window.violations")]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = require_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(path), args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Watched]]:
    """``open_page(path, width=390, scheme="dark")``; the page is open until the test ends."""
    contexts: list[Any] = []

    def opened(path: Path, *, width: int = 1200, scheme: str = "light", scripts: bool = True) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        return Watched(context.new_page(), path.absolute().as_uri())

    yield opened
    for context in contexts:
        context.close()
