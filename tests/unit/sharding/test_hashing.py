"""The hash of a key; tests/cluster/test_hashing.py compares many more with a server."""

from uuid import UUID

import pytest

from sharding.errors import InvalidKey, UnsupportedKeyType
from sharding.hashing import hash_bytes, hash_int, hash_key, hash_text, hash_uuid

# What a PostgreSQL 15 answers to uuid_hash(), hashint8() and hashtext().
UUIDS = {
    "00000000-0000-0000-0000-000000000000": 1353656403,
    "01a201ff-4ce5-72ba-bf11-29e824fad73f": 1965268879,
    "ffffffff-ffff-ffff-ffff-ffffffffffff": -682383255,
}
INTEGERS = {
    0: -272711505,
    1: -1905060026,
    5: -1330264708,
    42: 1509752520,
    10**12: -941514324,
    -1: 385747274,
}


@pytest.mark.parametrize(("key", "hashed"), UUIDS.items())
def test_a_uuid_is_hashed_as_the_server_does(key: str, hashed: int) -> None:
    assert hash_uuid(UUID(key)) == hashed
    assert hash_key(key, "uuid") == hash_key(UUID(key), "uuid") == hashed


@pytest.mark.parametrize(("key", "hashed"), INTEGERS.items())
def test_an_integer_is_hashed_as_the_server_does(key: int, hashed: int) -> None:
    assert hash_int(key) == hashed
    for key_type in ("bigint", "integer", "smallint"):
        assert hash_key(key, key_type) == hash_key(str(key), key_type) == hashed


def test_a_text_is_hashed_as_the_server_does() -> None:
    assert hash_text("email:ana@example.com") == 884799292
    assert hash_key("email:ana@example.com", "text") == 884799292


def test_a_uuid_is_hashed_as_its_bytes() -> None:
    for key in map(UUID, UUIDS):
        assert hash_uuid(key) == hash_bytes(key.bytes)


@pytest.mark.parametrize(
    ("key", "key_type"),
    [("no uuid", "uuid"), (7, "uuid"), ("x", "bigint"), (None, "bigint"), (2**63, "bigint"),
     (-(2**63) - 1, "bigint"), (7, "text")],
)  # fmt: skip
def test_a_key_that_is_no_value_of_the_type_is_refused(key: object, key_type: str) -> None:
    with pytest.raises(InvalidKey):
        hash_key(key, key_type)


def test_a_type_that_cannot_be_hashed_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedKeyType, match="jsonb"):
        hash_key("{}", "jsonb")
