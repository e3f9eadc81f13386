"""Keys and fingerprints; what happens under a key is tried on a database, in integration."""

from decimal import Decimal

import pytest

from shop.core.idempotency import MAX_KEY_LENGTH, KeyMissing, fingerprint_of, key_from


@pytest.mark.parametrize("header", ["a", " a ", "ä b", "x" * MAX_KEY_LENGTH])
def test_a_printable_key_is_taken_without_the_space_around_it(header: str) -> None:
    assert key_from(header) == header.strip()


@pytest.mark.parametrize("header", [None, "", "   ", "x" * (MAX_KEY_LENGTH + 1), "a\x00", "a\x7f"])
def test_no_key_or_a_strange_one_is_refused(header: str | None) -> None:
    with pytest.raises(KeyMissing):
        key_from(header)


def test_equal_requests_have_equal_fingerprints() -> None:
    one = fingerprint_of("POST", "/api/orders/", {"a": 1, "b": [Decimal("1.00")]})
    assert one == fingerprint_of("POST", "/api/orders/", {"b": [Decimal("1.00")], "a": 1})
    assert len(one) == 64


@pytest.mark.parametrize(
    "parts",
    [
        ("PUT", "/api/orders/", {"a": 1}),
        ("POST", "/api/others/", {"a": 1}),
        ("POST", "/api/orders/", {"a": "1"}),
        ("POST", "/api/orders/", {"a": 1, "b": None}),
        ("POST", "/api/orders/", {}),
    ],
)
def test_different_requests_have_different_fingerprints(parts: tuple[object, ...]) -> None:
    assert fingerprint_of(*parts) != fingerprint_of("POST", "/api/orders/", {"a": 1})
