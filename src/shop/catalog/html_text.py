"""Turns a product's HTML description into plain text."""

import re
from html import unescape

import nh3

# Elements that begin and end on a line of their own.
BLOCKS = frozenset({
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip
CELLS = frozenset(("td", "th"))
SILENT = frozenset(("script", "style", "template"))
# What is left of the markup: tags without attributes, well-formed.
TAG = re.compile(r"<(/?)(\w+)>")


def plain_text(html: str) -> str:
    """Return the text as a browser would show it: a line per block, entities resolved.

    Text that is no HTML at all comes back as it is, apart from its white space.
    """
    kept = nh3.clean(
        html.replace("\v", " "),
        tags=set(BLOCKS | CELLS | {"tbody"}),
        clean_content_tags=set(SILENT),
        attributes={},
        link_rel=None,
    )
    text = unescape(TAG.sub(_mark, kept))
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.split("\v"))
    return "\n".join(line for line in lines if line)


def _mark(tag: re.Match[str]) -> str:
    """Return a vertical tab where a line begins or ends."""
    closes, name = tag.groups()
    if name in BLOCKS:
        return "\v• " if name == "li" and not closes else "\v"
    return " " if name in CELLS else ""
