"""An answer is made once, whoever else asks, and Redis may be slow or gone. Real Redis."""

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from shop.core import redis
from shop.core.caching import answers, tokens
from shop.core.caching.answers import Made, answer, look_up, take
from shop.core.caching.entries import Question, token_key
from tests.integration.core.caching.proxy import SlowProxy

PROCESSES, CLIENTS = 4, 50  # of each process
HERE = ["everything", "one"]


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    prefix = {"KEY_PREFIX": f"test-{token_hex(8)}"}
    settings.CACHES = {**settings.CACHES, "default": settings.CACHES["default"] | prefix}


@pytest.fixture
def question(_fresh: None) -> Question:
    return Question.about(view="test", name="q", tokens=HERE)


@pytest.fixture
def slow(settings: Any) -> Iterator[SlowProxy]:
    """Redis behind a proxy that can be told to delay what comes back."""
    with SlowProxy(settings.CACHES["default"]["LOCATION"]) as proxy:
        settings.CACHES = {
            **settings.CACHES,
            "default": settings.CACHES["default"] | {"LOCATION": proxy.url},
        }
        yield proxy


class Maker:
    """Makes answers, and counts them in Redis: all processes see one count."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.key = redis.prefixed("made")
        self.seconds = seconds

    def __call__(self) -> Made:
        number = _patient().incr(self.key)
        time.sleep(self.seconds)
        return Made(200, b"answer %d" % number)

    @property
    def made(self) -> int:
        return int(_patient().get(self.key) or 0)


def _patient() -> "Redis[bytes]":
    """Return a client that counts whatever this machine is busy with."""
    return Redis.from_url(settings.CACHES["default"]["LOCATION"])


def never() -> Made:
    pytest.fail("it was made again")


def ask(question: Question, make: Callable[[], Made] = never) -> bytes:
    return answer(question, make).body


def of_many(question: Question, make: Maker, clients: int) -> set[bytes]:
    """Return what so many threads are answered that ask at the same moment."""
    ready = threading.Barrier(clients)

    def one(_: int) -> bytes:
        # An app server's threads are connected already.
        elsewhere = Question.about(view="test", name="elsewhere", tokens=HERE)
        for _ in range(1000):
            with contextlib.suppress(redis.RedisGone):
                look_up(elsewhere)
                take(elsewhere)
                break
            time.sleep(0.01)
        ready.wait(30)
        return ask(question, make)

    with ThreadPoolExecutor(clients) as pool:
        return set(pool.map(one, range(clients)))


def _process(question: Question, make: Maker, meeting: Any, found: Any) -> None:
    meeting.wait(30)
    redis.breaker.reset()
    found.put(of_many(question, make, CLIENTS))
    found.close()
    found.join_thread()
    os._exit(0)  # without pytest's own end


def of_processes(question: Question, make: Maker) -> set[bytes]:
    fork = multiprocessing.get_context("fork")
    meeting, found = fork.Barrier(PROCESSES), fork.Queue()
    workers = [
        fork.Process(target=_process, args=(question, make, meeting, found))
        for _ in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    bodies = set().union(*(found.get(timeout=60) for _ in workers))
    for worker in workers:
        worker.join(30)
    return bodies


def test_two_hundred_clients_of_a_cold_key_have_it_made_once(question: Question) -> None:
    make = Maker(seconds=0.3)
    assert of_processes(question, make) == {b"answer 1"}
    assert make.made == 1


def test_a_write_has_it_made_once_more_and_nobody_gets_the_old_one(question: Question) -> None:
    make = Maker(seconds=0.3)
    ask(question, make)
    tokens.expire(["one"])
    assert of_processes(question, make) == {b"answer 2"}
    assert make.made == 2


def test_one_makes_it_anew_while_the_others_get_the_slightly_old_one(
    question: Question, settings: Any
) -> None:
    settings.CACHE_FRESH = timedelta(0)
    make = Maker(seconds=0.5)
    ask(question, make)
    lease = take(question)
    assert lease is not None
    assert of_many(question, make, 20) == {b"answer 1"}
    lease.release()
    assert ask(question, make) == b"answer 2"
    assert make.made == 2


def test_what_is_fresh_is_not_made_again(question: Question) -> None:
    assert ask(question, Maker()) == ask(question) == b"answer 1"


@pytest.mark.parametrize("token", HERE)
def test_each_of_its_tokens_makes_an_entry_stale(question: Question, token: str) -> None:
    ask(question, Maker())
    tokens.expire([token])
    assert look_up(question) is None
    assert ask(question, Maker()) == b"answer 2"


def test_a_token_that_is_missing_fits_nothing_though_the_entry_is_there(question: Question) -> None:
    ask(question, Maker())
    redis.client().delete(token_key("one"))  # evicted, or Redis came back without it
    assert redis.client().exists(question.key)
    assert look_up(question) is None


def test_what_was_read_before_a_write_never_counts(question: Question) -> None:
    def make() -> Made:
        tokens.expire(["one"])  # somebody commits between our query and our keeping its answer
        return Made(200, b"old")

    assert answer(question, make).body == b"old"
    assert look_up(question) is None
    assert ask(question, Maker()) == b"answer 1"


def test_what_could_not_be_made_is_nobodys_answer(question: Question) -> None:
    def fail() -> Made:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            answer(question, fail)
    assert ask(question, Maker()) == b"answer 1"  # at once: the lock was given back


def test_who_dies_while_making_it_is_replaced(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LOCK", timedelta(seconds=0.3))
    assert take(question) is not None  # and nothing more is heard of them
    make = Maker()
    assert of_many(question, make, 10) == {b"answer 1"}
    assert make.made == 1


def test_nobody_waits_for_ever(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 0.1)
    assert take(question) is not None
    assert ask(question, Maker()) == b"answer 1"
    assert look_up(question) is None  # it was not ours to keep


def test_a_lock_that_another_has_by_now_is_not_given_back(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LOCK", timedelta(milliseconds=50))
    slow_one = take(question)
    assert slow_one is not None
    monkeypatch.setattr(answers, "LOCK", timedelta(seconds=30))
    while (second := take(question)) is None:
        time.sleep(0.01)
    slow_one.release()
    assert take(question) is None
    second.release()
    assert take(question) is not None


def test_a_negative_answer_is_kept_briefly(question: Question, settings: Any) -> None:
    settings.CACHE_NEGATIVE = timedelta(milliseconds=200)
    assert answer(question, lambda: Made(404, b"none")).status == 404
    assert answer(question, never).status == 404
    while look_up(question) is not None:
        time.sleep(0.02)
    assert ask(question, Maker()) == b"answer 1"


def test_without_redis_everybody_asks_the_database(question: Question, settings: Any) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"},
    }
    for number in range(10):
        made = Made(200, b"%d" % number)
        assert answer(question, lambda made=made: made).body == made.body  # type: ignore[misc]
    assert redis.breaker.state == "open"


def test_a_redis_that_is_slow_is_left_alone(question: Question, slow: SlowProxy) -> None:
    assert ask(question, Maker()) == b"answer 1"
    slow.delay = 5.0
    began = time.monotonic()
    assert {ask(question, lambda: Made(200, b"db")) for _ in range(20)} == {b"db"}
    assert redis.breaker.state == "open"
    assert time.monotonic() - began < slow.delay  # not even one answer was waited for


def test_redis_is_used_again_by_itself(question: Question, slow: SlowProxy) -> None:
    ask(question, Maker())
    slow.delay = 5.0
    for _ in range(redis.THRESHOLD):
        ask(question, lambda: Made(200, b"db"))
    slow.delay = 0.0
    end = time.monotonic() + 20
    while ask(question, lambda: Made(200, b"db")) == b"db":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert redis.breaker.state == "closed"


def test_what_was_written_without_redis_is_stale_when_it_is_back(
    question: Question, slow: SlowProxy
) -> None:
    ask(question, Maker())
    slow.delay = 5.0
    tokens.expire(["one", "another"])
    assert tokens.owed() == {"one", "another"}
    slow.delay = 0.0
    end = time.monotonic() + 20
    while tokens.owed():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert look_up(question) is None


def test_a_connection_that_lay_idle_over_a_restart_is_no_failure(
    question: Question, slow: SlowProxy
) -> None:
    ask(question, Maker())
    slow.drop()
    assert look_up(question) is not None
    assert redis.breaker.state == "closed"


def test_threads_that_have_ended_count_for_nothing(question: Question) -> None:
    for _ in range(150):  # more than redis-py's pool makes connections, each in a thread of its own
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(look_up, question).result() is None
