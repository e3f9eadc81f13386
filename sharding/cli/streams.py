"""Standard output and error as they are: of any encoding."""

from __future__ import annotations

import codecs
import sys
from typing import TextIO

# What an encoding may not have, in signs that every one has; one for one where tables use them.
PLAIN = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "–": "-",
        "…": "~",
        "·": "|",
        "•": "*",
        "“": '"',
        "”": '"',
        "→": "->",
        "≤": "<=",
        "×": "x",
        "−": "-",
        **dict.fromkeys("█▉▊▋▌▍▎▏", "#"),
    }
)


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return "".join(sign if sign.isascii() else "?" for sign in text), error.end


codecs.register_error("plainly", _plainly)


def take_any_encoding() -> None:
    """Let both streams write what their encoding lacks in plainer signs, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="plainly")


def takes_all_signs(stream: TextIO) -> bool:
    """Whether any text can be written as it is."""
    return (stream.encoding or "").lower().startswith("utf")
