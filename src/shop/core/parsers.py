"""JSON as RFC 8259 has it: UTF-8, finite numbers, text that can be stored."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32


class StrictJSONParser(BaseParser):
    """Parses a JSON body, and answers 400 to anything that would fail further in."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = json.loads(stream.read().decode(), parse_constant=_refuse)
            _check(data, MAX_DEPTH)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not acceptable JSON: {_reason(error)}.") from None
        return data


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _check(value: Any, depth: int) -> None:
    """Raise ValueError for nesting beyond depth and for text that is no Unicode."""
    if depth < 0:
        raise RecursionError
    if isinstance(value, str):
        value.encode()  # an unpaired surrogate, as "\\ud800" makes one, cannot be stored
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError("a number is too large")
    elif isinstance(value, dict):
        for key, inner in value.items():
            key.encode()
            _check(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth - 1)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"it is nested deeper than {MAX_DEPTH} levels"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8 text"
    return str(error)
