"""Chromium for tests that look at a page, and what a page may never do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.needs import require_path

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


# Playwright keeps an event loop in its thread, which tests of other things could not have their own beside.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = require_path(CHROMIUM, "apt-get install -y chromium")
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
