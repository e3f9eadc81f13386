"""Who asks too often is told so, everybody is told how they stand, and Redis may be gone."""

import logging
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.core import counters, redis, throttling
from shop.core.throttling import Policy, RateLimitFields, Standing
from tests.integration.core.assertions import assert_problem
from tests.integration.core.concurrency import beside

pytestmark = pytest.mark.django_db

NOON = 1_800_000_000 - 1_800_000_000 % 86400 + 43200.0  # the beginning of a minute and an hour


class Clock:
    """The time that windows are cut from, set by hand."""

    time = NOON

    def __call__(self) -> float:
        return self.time


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    hand = Clock()
    monkeypatch.setattr(throttling, "now", hand)
    return hand


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    """Counters that no other test has raised, and three requests a minute."""
    cache = {**settings.CACHES["state"], "KEY_PREFIX": token_hex(8)}
    settings.CACHES = {**settings.CACHES, "state": cache}
    rates = {"anonymous": "3/min", "user": "4/min"}
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, **rates}


@pytest.fixture
def _no_redis(settings: Any) -> None:
    cache = {**settings.CACHES["state"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "state": cache}


def browse(client: APIClient, address: str = "192.0.2.1", **headers: str) -> Any:
    return client.get("/api/categories/", headers={"X-Forwarded-For": address, **headers})


def test_a_stranger_is_counted_by_address(client: APIClient) -> None:
    assert [browse(client).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert browse(client, "192.0.2.2").status_code == 200


def test_a_user_is_counted_by_account_wherever_they_are(
    ana: User, bo: User, as_user: Callable[[User], APIClient]
) -> None:
    client = as_user(ana)
    statuses = [browse(client, f"192.0.2.{n}").status_code for n in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    assert browse(as_user(bo), "192.0.2.1").status_code == 200


def test_who_asks_too_often_learns_when_to_come_back(client: APIClient, clock: Clock) -> None:
    clock.time = NOON + 15.2
    for _ in range(3):
        browse(client)
    response = browse(client)
    assert_problem(response, 429, "throttled")
    assert response.headers["Retry-After"] == "45"
    assert response.headers["RateLimit-Policy"] == '"anonymous";q=3;w=60'
    assert response.headers["RateLimit"] == '"anonymous";r=0;t=45'
    clock.time += 45
    assert browse(client).status_code == 200


def test_every_answer_says_how_its_caller_stands(client: APIClient) -> None:
    first, second = browse(client), browse(client)
    assert first.headers["RateLimit-Policy"] == '"anonymous";q=3;w=60'
    assert first.headers["RateLimit"] == '"anonymous";r=2;t=60'
    assert second.headers["RateLimit"] == '"anonymous";r=1;t=60'


def test_an_answer_without_a_body_says_it_too(client: APIClient) -> None:
    response = browse(client, **{"If-None-Match": browse(client).headers["ETag"]})
    assert response.status_code == 304
    assert response.headers["RateLimit"] == '"anonymous";r=1;t=60'


@pytest.mark.parametrize(
    ("path", "status"), [("/api/cart/", 401), ("/api/nothing/", 404), ("/api/stock", 404)]
)
def test_a_request_that_no_throttle_saw_counts_for_its_address(
    client: APIClient, path: str, status: int
) -> None:
    answers = [client.get(path) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [status, status, status, 429]
    assert [answer.headers["RateLimit"][:15] for answer in answers[:2]] == [
        '"anonymous";r=2',
        '"anonymous";r=1',
    ]
    assert_problem(answers[3], 429, "throttled")
    assert answers[3].headers["Retry-After"] == "60"


def test_guessing_access_tokens_is_throttled(client: APIClient) -> None:
    client.credentials(HTTP_AUTHORIZATION="Bearer a.b.c")
    assert [client.get("/api/cart/").status_code for _ in range(4)] == [401, 401, 401, 429]


def test_what_is_no_part_of_the_api_is_not_counted(client: APIClient) -> None:
    answers = [client.get("/health/live") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_a_rate_can_be_off(client: APIClient, settings: Any) -> None:
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "anonymous": "off"}
    answers = [browse(client) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Policy" not in answers[0].headers


@pytest.mark.parametrize(
    "rate", ["", "many", "0/min", "1/week", "-1/min", "1", "1/minute", "1e3/s"]
)
def test_a_rate_that_cannot_be_understood_stops_the_start(settings: Any, rate: str) -> None:
    settings.THROTTLE_RATES = {"user": rate}
    with pytest.raises(ImproperlyConfigured, match=f"(?s){re.escape(repr(rate))} of user"):
        RateLimitFields(lambda request: pytest.fail("a request"))


def test_no_request_is_lost_when_many_count_at_once() -> None:
    policy = Policy("burst", 1000, 3600)
    with beside(*[lambda: [throttling.count(policy, "ana") for _ in range(25)]] * 8) as counting:
        pass
    seen = sorted(standing.used for future in counting for standing in future.result())
    assert seen == list(range(1, 201))


def test_a_counter_ends_with_its_window() -> None:
    from django.core.cache import caches

    policy = Policy("short", 5, 60)
    throttling.count(policy, "ana")
    throttling.count(policy, "ana")
    assert 0 < caches["state"].ttl(throttling.key_for(policy, "ana")) <= 60  # type: ignore[attr-defined]


def test_redis_learns_no_address_and_no_name() -> None:
    key = throttling.key_for(Policy("anonymous", 5, 60), "192.0.2.1", "email:ana@example.com")
    assert "192.0.2.1" not in key
    assert "ana" not in key.removeprefix("throttle:anonymous")


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert counters.key_of("x", "a", "bc") != counters.key_of("x", "ab", "c")


def test_more_than_the_quota_leaves_nothing_rather_than_less() -> None:
    assert Standing(Policy("user", 5, 60), 9, 10).fields["RateLimit"] == '"user";r=0;t=10'


@pytest.mark.usefixtures("_no_redis")
def test_without_redis_every_request_is_let_through(client: APIClient) -> None:
    before = counters.missed()
    answers = [browse(client) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["RateLimit-Policy"] == '"anonymous";q=3;w=60'
    assert "RateLimit" not in answers[0].headers
    assert counters.missed() == before + 6


@pytest.mark.usefixtures("_no_redis")
def test_without_redis_the_log_says_so_once(
    client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="shop.core.redis"):
        for _ in range(6):
            browse(client)
    ours = [record for record in caplog.records if record.name == "shop.core.redis"]
    assert len(ours) == 1
    assert "Redis does not answer" in ours[0].message


def test_a_redis_that_hangs_costs_few_its_timeout_and_each_of_them_once(
    client: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        redis.state_breaker, "clock", lambda: NOON
    )  # the pause does not end meanwhile
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and no more
        port = silent.getsockname()[1]
        cache = {**settings.CACHES["state"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
        settings.CACHES = {**settings.CACHES, "state": cache}
        answers = [browse(client) for _ in range(6)]
        assert waits(silent) == redis.THRESHOLD
    assert {answer.status_code for answer in answers} == {200}


def waits(silent: socket.socket) -> int:
    """Return how many connections a server has been sent: each waited for an answer, in vain."""
    silent.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            silent.accept()[0].close()
            count += 1
    return count


def test_redis_is_asked_again_after_the_pause(settings: Any) -> None:
    working = settings.CACHES
    policy = Policy("again", 5, 60)
    settings.CACHES = {
        **working,
        "state": {**working["state"], "LOCATION": "redis://127.0.0.1:1/0"},
    }
    for _ in range(redis.THRESHOLD):
        assert throttling.count(policy, "ana").used is None
    assert redis.state_breaker.state == "open"
    settings.CACHES = working  # which also closes it
    redis.state_breaker._open_until = redis.state_breaker.clock() + redis.PAUSE
    assert throttling.count(policy, "ana").used is None
    redis.state_breaker._open_until -= redis.PAUSE
    assert throttling.count(policy, "ana").used == 1
    assert redis.state_breaker.state == "closed"
