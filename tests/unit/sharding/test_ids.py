import time
from uuid import RFC_4122, UUID

import pytest

from sharding import ids
from sharding.ids import new_id


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = new_id()
    assert made.version == 7
    assert made.variant == RFC_4122


def test_an_id_is_of_the_plain_class_that_adapters_look_up() -> None:
    assert type(new_id()) is UUID


def test_ids_are_different_and_sorted_by_birth() -> None:
    made = [new_id() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert sorted(made) == made


def _born(made: UUID) -> float:
    """Return the time in an id, in seconds since 1970."""
    return (made.int >> 80) / 1000


def test_many_ids_at_once_do_not_run_ahead_of_the_clock() -> None:
    """Else the rows of a busy process look younger than what others write after them."""
    newest = [new_id() for _ in range(20_000)][-1]
    assert abs(_born(newest) - time.time()) < 2


@pytest.mark.parametrize("module", [ids])
def test_ids_are_made_without_django(module: object) -> None:
    assert not any(name.startswith("django") for name in vars(module))
