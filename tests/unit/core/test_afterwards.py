"""Records are noted soon, all of them, by one thread, and by a forked process anew."""

import threading
import time

from sharding.django.work import Work
from shop.core.afterwards import EVERY, Answered, Clerk


def answered(number: int) -> Answered:
    return Answered(str(number), "GET", "/", 200, 0.1, 0.0, Work(), None)


def test_a_record_is_noted_soon() -> None:
    noted: list[Answered] = []
    clerk = Clerk(noted.extend)
    clerk.take(answered(1))
    deadline = time.monotonic() + 40 * EVERY
    while not noted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [one.request_id for one in noted] == ["1"]


def test_no_record_is_lost_or_noted_twice_while_many_leave_theirs() -> None:
    noted: list[Answered] = []
    clerk = Clerk(noted.extend)

    def leave(first: int) -> None:
        for number in range(first, first + 500):
            clerk.take(answered(number))

    threads = [threading.Thread(target=leave, args=(n * 500,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clerk.catch_up()
    clerk.catch_up()
    assert sorted(int(one.request_id) for one in noted) == list(range(2000))


def test_one_that_cannot_write_does_not_keep_the_others_from_it() -> None:
    def broken(records: list[Answered]) -> None:
        raise BrokenPipeError

    noted: list[Answered] = []
    clerk = Clerk(broken, noted.extend)
    clerk.take(answered(1))
    clerk.catch_up()
    assert len(noted) == 1


def test_a_forked_process_begins_without_its_parents_records() -> None:
    noted: list[Answered] = []
    clerk = Clerk(noted.extend)
    clerk.take(answered(1))
    clerk.forget()  # as os.register_at_fork has it done
    clerk.take(answered(2))
    clerk.catch_up()
    assert [one.request_id for one in noted] == ["2"]
