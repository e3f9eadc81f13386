from datetime import UTC, datetime
from random import Random
from uuid import RFC_4122, UUID

from shop.seeding.text import dashed, money, stamp, uuid7

MOMENT = 1_767_225_600_123  # 2026-01-01 00:00:00.123


def test_an_id_is_a_uuid7_that_begins_with_its_moment() -> None:
    ids = [UUID(uuid7(MOMENT, Random(seed))) for seed in range(100)]
    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    assert {one.int >> 80 for one in ids} == {MOMENT}
    assert len(set(ids)) == 100


def test_ids_follow_their_moments() -> None:
    random = Random(1)
    ids = [uuid7(MOMENT + step, random) for step in range(1000)]
    assert ids == sorted(ids)


def test_the_dashed_form_is_the_same_id() -> None:
    text = uuid7(MOMENT, Random(1))
    assert dashed(text) == str(UUID(text))


def test_a_stamp_names_its_zone() -> None:
    assert datetime.fromisoformat(stamp(MOMENT)) == datetime(2026, 1, 1, 0, 0, 0, 123_000, UTC)


def test_money_has_two_decimals() -> None:
    assert [money(cents) for cents in (5, 1990, 100)] == ["0.05", "19.90", "1.00"]
