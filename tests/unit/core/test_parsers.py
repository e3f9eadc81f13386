"""What is no acceptable JSON is refused where it comes in, with a reason."""

from io import BytesIO
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from shop.core.parsers import MAX_DEPTH, StrictJSONParser


def parse(body: bytes) -> Any:
    return StrictJSONParser().parse(BytesIO(body))


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + closing * depth


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b'{"a": [1, 2.5, null, true, "\xc3\xa4"]}', {"a": [1, 2.5, None, True, "ä"]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),  # a pair of surrogates is one letter
        (b"[]", []),
        (b" 3 ", 3),
        (b"9223372036854775808", 2**63),
        (b"1e308", 1e308),
        (b"-0.0", 0.0),
    ],
)
def test_sound_json_is_parsed(body: bytes, value: Any) -> None:
    assert parse(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Expecting value"),
        (b"   ", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"{}{}", "Extra data"),
        (b"{'a': 1}", "Expecting property name"),
        (b'{"a": 1,}', "(Illegal trailing comma|Expecting property name)"),
        (b'"a\nb"', "Invalid control character"),
        (b"NaN", "NaN is no JSON number"),
        (b'{"a": [Infinity]}', "Infinity is no JSON number"),
        (b"-Infinity", "-Infinity is no JSON number"),
        (b"1e999", "a number is too large"),
        (b'{"a": {"b": [-1e999]}}', "a number is too large"),
        (b'"\xff"', "it is not UTF-8 text"),
        (b"\xff\xfe{\x00}\x00", "it is not UTF-8 text"),
        (b'"\xed\xa0\x80"', "it is not UTF-8 text"),
        (b'"\\ud800"', "it is not UTF-8 text"),
        (b'{"\\udfff": 1}', "it is not UTF-8 text"),
        (b'[{"a": "x\\udc00y"}]', "it is not UTF-8 text"),
        (b"9" * 5000, "digits"),
        (nested(MAX_DEPTH + 2), "nested deeper than 32 levels"),
        (nested(100_000), "nested deeper than 32 levels"),
        (b'{"a":' * 100_000, "nested deeper than 32 levels"),
        (nested(MAX_DEPTH + 2, b'{"a":[', b"]}"), "nested deeper than 32 levels"),
    ],
)
def test_anything_else_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=f"^The body is not acceptable JSON: .*{reason}"):
        parse(body)


def test_nesting_up_to_the_limit_is_fine() -> None:
    assert parse(nested(MAX_DEPTH)) != []


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(ParseError) as caught:
        parse(b'{"password": "secret" oops}')
    assert "secret" not in str(caught.value)
