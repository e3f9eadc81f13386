"""An id that carries its owner's mark tells whose it is, and stays an id of its time."""

import time
from uuid import UUID

from sharding.ids import mark_of, new_id, new_id_of


def test_an_id_carries_the_mark_of_its_owner_and_of_nobody_else() -> None:
    ana, bo = new_id(), new_id()
    assert mark_of(new_id_of(ana)) == mark_of(ana) != mark_of(bo)
    assert str(new_id_of(ana))[-17:] == str(ana)[-17:]


def test_it_is_a_uuid_of_version_7_that_sorts_by_its_millisecond() -> None:
    ana = new_id()
    before = time.time_ns() // 1_000_000
    made = new_id_of(ana)
    assert (made.version, made.variant) == (7, ana.variant)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_of_one_owner_differ() -> None:
    ana = new_id()
    made: set[UUID] = set()
    for _ in range(20):
        made.add(new_id_of(ana))
        time.sleep(0.001)
    assert len(made) == 20
