"""What fails is left alone for a while, and asked again by one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NoAnswer

from shop.core.redis import Breaker, RedisGone, packed


class Clock:
    """Seconds, set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("test", threshold=3, pause=1.0, clock=clock)


def failing(error: Exception | None = None) -> Callable[[], int]:
    def question() -> int:
        raise error or ConnectionLost("gone")

    return question


def fail(breaker: Breaker, times: int, error: Exception | None = None) -> None:
    for _ in range(times):
        with pytest.raises(RedisGone):
            breaker.call("test", failing(error))


def test_an_answer_passes(breaker: Breaker) -> None:
    assert breaker.call("test", lambda a, b: a + b, 1, 2) == 3
    assert breaker.state == "closed"


@pytest.mark.parametrize("error", [ConnectionLost("x"), NoAnswer("x"), OSError("x")])
def test_it_opens_after_three_failures_in_a_row(breaker: Breaker, error: Exception) -> None:
    fail(breaker, 2, error)
    assert breaker.state == "closed"
    fail(breaker, 1, error)
    assert breaker.state == "open"


def test_an_answer_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.call("test", lambda: 1)
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_nothing_is_asked_while_it_is_open(breaker: Breaker) -> None:
    fail(breaker, 3)
    with pytest.raises(RedisGone):
        breaker.call("test", lambda: pytest.fail("it was asked"))


def test_an_error_that_redis_answers_with_does_not_open_it(breaker: Breaker) -> None:
    fail(breaker, 10, ResponseError("OOM command not allowed"))
    assert breaker.state == "closed"


def test_an_error_of_ours_passes_as_it_is(breaker: Breaker) -> None:
    for _ in range(5):
        with pytest.raises(KeyError):
            breaker.call("test", failing(KeyError("ours")))
    assert breaker.state == "closed"


def test_one_answer_after_the_pause_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    assert breaker.state == "half-open"
    assert breaker.call("test", lambda: 7) == 7
    assert breaker.state == "closed"
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_one_failure_after_the_pause_opens_it_for_another(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    fail(breaker, 1)
    assert breaker.state == "open"


def test_a_probe_that_fails_by_our_own_error_can_be_repeated(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    with pytest.raises(KeyError):
        breaker.call("test", failing(KeyError("ours")))
    assert breaker.call("test", lambda: 1) == 1


def test_only_one_probes_while_the_others_do_without(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    asked, answer = Event(), Event()

    def slow() -> int:
        asked.set()
        assert answer.wait(10)
        return 1

    with ThreadPoolExecutor(1) as pool:
        probe = pool.submit(breaker.call, "test", slow)
        assert asked.wait(10)
        with pytest.raises(RedisGone):
            breaker.call("test", lambda: pytest.fail("a second probe"))
        answer.set()
        assert probe.result() == 1
    assert breaker.state == "closed"


def test_questions_are_asked_side_by_side_while_it_is_closed(breaker: Breaker) -> None:
    meeting = Barrier(8)  # nobody passes before all eight are here
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(breaker.call, "test", meeting.wait, 10) for _ in range(8)]
        assert sorted(future.result() for future in waiting) == list(range(8))


def test_a_command_is_packed_as_the_protocol_says() -> None:
    assert packed("MGET", "ä") == b"*2\r\n$4\r\nMGET\r\n$2\r\n\xc3\xa4\r\n"
