"""An entry counts under the tokens that it was made under, and under no others."""

import pytest

from shop.core.caching.entries import TOKEN_BYTES, Entry, Tokens, pack, unpack
from shop.core.conditional import etag_of

A, B, C = (letter.encode() * TOKEN_BYTES for letter in "abc")
ENTRY = Entry.of(200, b'{"id":1}', fresh_until=1_800_000_000.5)


def test_an_entry_comes_back_as_it_was() -> None:
    assert unpack(pack(ENTRY, [A, B]), [A, B]) == ENTRY


@pytest.mark.parametrize(
    "tokens", [[A, C], [B, A], [A], [A, B, C], [None, None], [A, None], []], ids=repr
)
def test_an_entry_counts_under_no_other_tokens(tokens: Tokens) -> None:
    assert unpack(pack(ENTRY, [A, B]), tokens) is None


def test_what_is_not_there_does_not_count() -> None:
    assert unpack(None, [A]) is None


def test_what_another_release_has_kept_does_not_count() -> None:
    assert unpack(b"zz" + pack(ENTRY, [A])[2:], [A]) is None


def test_its_etag_is_that_of_an_update() -> None:
    assert f'"{ENTRY.etag}"' == etag_of({"id": 1})
