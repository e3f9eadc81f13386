"""The runbooks, as docs/runbooks/ has them: what an alert links to, for who has a phone at hand."""

import re
from pathlib import Path

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

PAGES = Path(__file__).resolve().parents[3] / "docs/runbooks"
INDEX = "README"
# To another runbook. The handbooks that they speak of as well are no pages of the shop.
LINK = re.compile(r"\[([^\]]+)\]\((\w+\.md)\)")
HANDBOOK = re.compile(r"\[([^\]]+)\]\(\.\./([\w./#-]+)\)")


def page(name: str) -> SafeString | None:
    """Return a runbook as HTML, its Markdown as it stands but for the links; None without one."""
    path = PAGES / f"{name}.md"
    if not re.fullmatch(r"[A-Za-z]+", name) or not path.is_file():
        return None
    text = HANDBOOK.sub(r"\1 (docs/\2)", escape(path.read_text()))
    return mark_safe(LINK.sub(r'<a href="\2">\1</a>', text))  # noqa: S308 - escaped above
