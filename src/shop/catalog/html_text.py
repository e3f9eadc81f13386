"""Turns a product's HTML description into plain text."""

import re
from html.parser import HTMLParser

# Elements that begin and end on a line of their own.
BLOCKS = frozenset({
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip
SILENT = frozenset(("script", "style", "template"))


def plain_text(html: str) -> str:
    """Return the text as a browser would show it: a line per block, entities resolved.

    Text that is no HTML at all comes back as it is, apart from its white space.
    """
    parser = _TextParser()
    parser.feed(html)
    parser.close()
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(parser.parts).split("\v"))
    return "\n".join(line for line in lines if line)


class _TextParser(HTMLParser):
    """Collects the text; a vertical tab marks where a line ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        elif tag in BLOCKS:
            self.parts.append("\v• " if tag == "li" else "\v")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in BLOCKS:
            self.parts.append("\v")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data.replace("\v", " "))
