"""Data and programs inside a page, so that nothing in them can end the element that holds them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

__all__ = ["asset", "content_security_policy", "json_text", "plotly_source", "plotly_style_ids"]

# Plotly adds a style element without text, and its rules one by one: the hash of nothing lets that through.
_EMPTY = ""
# Plotly's maps bring a style sheet unless an element with its id is there; the policy would refuse it, and say so.
_STYLE_ID = re.compile(r'document\.getElementById\("([0-9a-f]{64})"\)')
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def json_text(value: Any) -> str:
    """JSON for a script element: no character that HTML or a script reads as anything else."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # An unpaired surrogate has no place in UTF-8; outside of it JSON's own escape is as good as the character.
    text = "".join(_ESCAPES.get(c, c) for c in text)
    return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)


def asset(name: str) -> str:
    """Text of a file in the folder `assets`."""
    return (files("pocketbench.reports") / "assets" / name).read_text(encoding="utf-8")


def plotly_source() -> str:
    """Plotly's own JavaScript, as its Python package ships it, in a form that may stand in a script element."""
    source = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    # HTML reads a line end as \n whatever it was, and the hash in the policy is of what HTML reads.
    return source.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def plotly_style_ids(source: str) -> list[str]:
    """Identifiers under which `source` looks for style sheets of its own before it adds them."""
    return list(dict.fromkeys(_STYLE_ID.findall(source)))


def content_security_policy(scripts: list[str], styles: list[str]) -> str:
    """Nothing may load or run but these texts; images only from inside the page."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {allowed}",
            f"style-src {' '.join(map(_hash, [*styles, _EMPTY]))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
