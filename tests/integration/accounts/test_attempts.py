"""Wrong passwords run into limits; the owner of the account does not."""

from collections.abc import Callable
from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from shop.accounts import attempts, services
from shop.accounts.errors import InvalidCredentials
from shop.accounts.models import User
from shop.core import throttling
from tests.conftest import PASSWORD
from tests.integration.core.assertions import assert_problem, invalid_fields, statements

pytestmark = pytest.mark.django_db

NOON = 1_800_000_000 - 1_800_000_000 % 86400 + 43200.0
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def _fresh(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters of our own, a clock that stands still, and the limits of the local stack."""
    cache = {**settings.CACHES["state"], "KEY_PREFIX": token_hex(8)}
    settings.CACHES = {**settings.CACHES, "state": cache}
    settings.THROTTLE_RATES = {
        **settings.THROTTLE_RATES,
        "login_account_address": "10/min",
        "login_address": "60/min",
        "login_account": "100/hour",
        "taken_address": "30/hour",
    }
    monkeypatch.setattr(throttling, "now", lambda: NOON)


def login(client: APIClient, address: str = HERE, **fields: str) -> Any:
    body = {"password": PASSWORD, **({"username": "ana"} | fields)}
    return client.post("/api/auth/login/", body, headers={"X-Forwarded-For": address})


def guess(client: APIClient, address: str = HERE, **fields: str) -> int:
    return int(login(client, address, password="wrong", **fields).status_code)


def test_30_wrong_passwords_are_throttled_and_the_owner_gets_in_from_elsewhere(
    client: APIClient, ana: User
) -> None:
    assert [guess(client) for _ in range(30)] == [401] * 10 + [429] * 20
    assert_problem(login(client), 429, "throttled")
    assert login(client, ELSEWHERE).status_code == 200


def test_who_guesses_too_often_learns_when_to_come_back(client: APIClient, ana: User) -> None:
    for _ in range(10):
        guess(client)
    response = login(client)
    body = assert_problem(response, 429, "throttled")
    assert body["detail"] == "There were too many wrong passwords. Try again in 60 seconds."
    assert response.headers["Retry-After"] == "60"
    assert response.headers["RateLimit-Policy"] == '"login_account_address";q=10;w=60'
    assert response.headers["RateLimit"] == '"login_account_address";r=0;t=60'


def test_a_name_that_nobody_has_is_throttled_alike(client: APIClient, ana: User) -> None:
    of_ana = [guess(client) for _ in range(12)]
    of_nobody = [guess(client, username="nobody") for _ in range(12)]
    assert of_ana == of_nobody


def test_writing_the_name_differently_gains_no_guesses(client: APIClient, ana: User) -> None:
    names = ["ana", "ANA", "Ana", "ａｎａ"] * 3
    assert [guess(client, username=name) for name in names][10:] == [429, 429]


@pytest.mark.parametrize("name", ["ana@example.com", "nobody@example.com"])
def test_a_name_has_one_counter_wherever_it_is_typed(
    client: APIClient, ana: User, name: str
) -> None:
    """As a username, as an address, at the staff pages: registered or not, it is the same."""
    ways: list[Callable[[], int]] = [
        lambda: guess_by("username", name.upper()),
        lambda: guess_by("email", name),
        lambda: guess_at_staff_pages(name.title()),
    ]
    answers = [way() for way in (ways * 5)[:14]]
    assert answers == [401, 401, 200, 401, 401, 200, 401, 401, 200, 401, 429, 429, 429, 429]


def guess_by(kind: str, name: str) -> int:
    body = {kind: name, "password": "wrong"}
    answer = APIClient().post("/api/auth/login/", body, headers={"X-Forwarded-For": HERE})
    return int(answer.status_code)


def guess_at_staff_pages(name: str) -> int:
    form = {"username": name, "password": "wrong"}
    answer = Client().post("/admin/login/", form, headers={"X-Forwarded-For": HERE})
    return int(answer.status_code)


@pytest.mark.parametrize("tries", [0, 10])
@pytest.mark.parametrize("ways", [("username", "ana"), ("email", "ana@example.com")], ids=str)
def test_the_staff_pages_tell_nothing_about_who_is_registered(
    ana: User, sam: User, ways: tuple[str, str], tries: int
) -> None:
    kind, registered = ways
    answers = []
    for name in (registered, registered.replace("ana", "nobody"), registered.replace("ana", "sam")):
        for _ in range(tries):
            guess_by(kind, name)
        with CaptureQueriesContext(connection) as asked:
            answers.append((guess_at_staff_pages(name), len(asked)))
    assert len(set(answers)) == 1
    assert answers[0][0] == (429 if tries else 200)


def register(client: APIClient, name: str, address: str = HERE) -> int:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    answer = client.post("/api/auth/register/", body, headers={"X-Forwarded-For": address})
    return int(answer.status_code)


def test_who_asks_for_many_taken_names_is_told_no_more(client: APIClient, ana: User) -> None:
    assert [register(client, "ana") for _ in range(32)] == [409] * 30 + [429] * 2
    assert register(client, "somebody-new") == 429
    assert register(client, "somebody-new", ELSEWHERE) == 201


def test_registering_counts_nothing(client: APIClient, ana: User) -> None:
    assert {register(client, f"user-{number}") for number in range(32)} == {201}
    assert register(client, "ana") == 409


def test_a_new_name_of_an_account_is_limited_with_those_of_registration(
    client: APIClient, ana: User, bo: User, as_user: Callable[[User], APIClient]
) -> None:
    for _ in range(29):
        register(client, "ana")
    header = {"X-Forwarded-For": HERE}
    wanted = [{"username": "ana"}, {"email": "ana@example.com"}, {"first_name": "Bo"}]
    answers = [as_user(bo).patch("/api/users/me/", one, headers=header) for one in wanted]
    assert [answer.status_code for answer in answers] == [409, 429, 200]


def test_a_refused_registration_runs_no_password_hash(
    client: APIClient, ana: User, hash_runs: list[str]
) -> None:
    for _ in range(30):
        register(client, "ana")
    hash_runs.clear()
    assert register(client, "ana") == 429
    assert hash_runs == []


def test_logging_in_counts_nothing(client: APIClient, ana: User) -> None:
    assert {login(client).status_code for _ in range(25)} == {200}
    assert guess(client) == 401


def test_an_address_that_tries_many_accounts_is_throttled(client: APIClient) -> None:
    answers = [guess(client, username=f"user-{number}") for number in range(65)]
    assert answers == [401] * 60 + [429] * 5
    assert guess(client, ELSEWHERE, username="user-64") == 401


def guess_from_everywhere(client: APIClient, count: int) -> list[int]:
    return [guess(client, f"203.0.{n // 8}.{n % 8}") for n in range(count)]


def test_many_addresses_that_try_one_account_are_throttled(client: APIClient, ana: User) -> None:
    assert guess_from_everywhere(client, 103) == [401] * 100 + [429] * 3
    response = login(client, "203.0.113.200")
    assert response.headers["RateLimit-Policy"] == '"login_account";q=100;w=3600'


def test_strangers_do_not_lock_out_an_address_that_logged_in_before(
    client: APIClient, ana: User
) -> None:
    assert login(client, ELSEWHERE, username="ana").status_code == 200
    guess_from_everywhere(client, 100)
    assert login(client, "203.0.113.200").status_code == 429
    assert login(client, ELSEWHERE).status_code == 200


def test_an_address_is_known_by_both_names(client: APIClient, ana: User) -> None:
    login(client, ELSEWHERE, username="ana")
    for number in range(100):
        email = {"email": "ana@example.com", "password": "wrong"}
        header = {"X-Forwarded-For": f"203.0.{number // 8}.{number % 8}"}
        client.post("/api/auth/login/", email, headers=header)
    email = {"email": "ana@example.com", "password": PASSWORD}
    here, there = ({"X-Forwarded-For": address} for address in (HERE, ELSEWHERE))
    assert client.post("/api/auth/login/", email, headers=here).status_code == 429
    assert client.post("/api/auth/login/", email, headers=there).status_code == 200


def test_the_address_of_the_registration_is_known(client: APIClient) -> None:
    ana = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
    client.post("/api/auth/register/", ana, headers={"X-Forwarded-For": ELSEWHERE})
    guess_from_everywhere(client, 100)
    assert login(client, ELSEWHERE).status_code == 200


def test_a_known_address_is_still_not_free_to_guess(client: APIClient, ana: User) -> None:
    login(client, HERE)
    assert [guess(client) for _ in range(11)][-1] == 429


def test_a_known_address_is_remembered_for_30_days(client: APIClient, ana: User) -> None:
    from django.core.cache import caches

    login(client)
    key = attempts._known("ana", HERE)
    assert caches["state"].ttl(key) == timedelta(days=30).total_seconds()  # type: ignore[attr-defined]
    assert "192.0.2.1" not in key
    assert "ana" not in key


def test_without_redis_logins_go_on(client: APIClient, ana: User, settings: Any) -> None:
    cache = {**settings.CACHES["state"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "state": cache}
    assert [guess(client) for _ in range(12)] == [401] * 12
    assert login(client).status_code == 200


def test_the_password_of_a_stolen_session_cannot_be_guessed(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    client = as_user(ana)
    wrong = {"current_password": "wrong", "new_password": "another long passphrase"}
    for _ in range(10):
        assert invalid_fields(client.post("/api/users/me/password/", wrong)) == {"current_password"}
    right = {**wrong, "current_password": PASSWORD}
    assert_problem(client.post("/api/users/me/password/", right), 429, "throttled")


@pytest.fixture
def hash_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect every run of the password hash."""
    runs: list[str] = []
    hasher = type(hashers.get_hasher())
    original = hasher.encode

    def encode(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        runs.append(password)
        return original(self, password, *args, **kwargs)

    monkeypatch.setattr(hasher, "encode", encode)
    return runs


@pytest.mark.parametrize("case", ["wrong password", "unknown name", "inactive account"])
def test_every_failed_login_costs_the_same_work(ana: User, hash_runs: list[str], case: str) -> None:
    name = "nobody" if case == "unknown name" else "ana"
    if case == "inactive account":
        User.objects.for_user(ana.id).update(is_active=False)
    with statements(2), pytest.raises(InvalidCredentials):
        services.login(kind="username", name=name, password="wrong", address=HERE)
    assert hash_runs == ["wrong"]


def test_a_throttled_login_looks_at_no_password(
    client: APIClient, ana: User, hash_runs: list[str]
) -> None:
    for _ in range(10):
        guess(client)
    hash_runs.clear()
    with statements(0):
        login(client)
    assert hash_runs == []


def test_a_password_that_changes_during_the_login_lets_nobody_in(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_and_lose(password: str, user: User) -> bool:
        User.objects.for_user(ana.id).update(password=hashers.make_password("another"))
        return True

    monkeypatch.setattr(services, "is_right", check_and_lose)
    with pytest.raises(InvalidCredentials):
        services.login(kind="username", name="ana", password=PASSWORD)
