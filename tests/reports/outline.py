"""What a page says and refers to, without a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pocketbench.reports.page import report_html
from pocketbench.reports.tables import CampaignTables

__all__ = ["Outline", "section_text"]


class Outline(HTMLParser):
    """Text outside of scripts and styles, and what the page refers to; `only` is the section to read."""

    def __init__(self, page: str, *, only: str | None = None) -> None:
        super().__init__()
        if only is not None:
            page = page.partition(f'<section aria-labelledby="{only}">')[2].partition("</section>")[0]
        self.words: list[str] = []
        self.references: list[str] = []
        self.headings: list[int] = []
        self.identifiers: list[str] = []
        self.cells: list[dict[str, str | None]] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._silent += tag in ("script", "style")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th":
            self.cells.append(found)
        self.references += [value or "" for key, value in attrs if key in ("src", "href", "data", "action", "srcset")]
        self.identifiers += [value or "" for key, value in attrs if key == "id"]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def section_text(tables: CampaignTables, identifier: str) -> str:
    """What one section of the page of `tables` says."""
    return Outline(report_html(tables).replace("\u00a0", " "), only=identifier).text
