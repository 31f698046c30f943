"""A part of the page: heading, a sentence on what it shows, content; and a plot with the table of its figures."""

from __future__ import annotations

from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.markup import Html, element, join

__all__ = ["details", "plot", "section"]


def section(identifier: str, title: str, lead: Html | str, *content: Html) -> Html:
    """A landmark with its heading; an empty `lead` is left out."""
    return element(
        "section",
        element("h2", title, id=identifier),
        *([element("p", lead, class_="lead")] if lead else []),
        *content,
        aria_labelledby=identifier,
    )


def plot(figure: Figure, caption: str) -> Html:
    """The place that page.js draws `figure` in; without scripts a sentence says so."""
    return element(
        "figure",
        element(
            "div",
            element("noscript", element("p", "This plot needs JavaScript; the tables have its figures.")),
            id=figure.identifier,
            class_="plot",
            role="img",
            aria_label=figure.description,
            data_height=figure.height,
        ),
        element("figcaption", caption),
    )


def details(summary: str, *content: Html) -> Html:
    """What is there for who asks."""
    return element("details", element("summary", summary), join(content))
