"""The sandbox charges as a real provider does."""

import gc
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest

from tests.unit.sandbox_gateway.conftest import Sandbox


def test_a_charge_succeeds_and_can_be_looked_up(sandbox: Sandbox) -> None:
    made = sandbox.charge()
    assert made.status_code == 201
    found = sandbox.http.get("/charges/one")
    assert found.status_code == 200
    assert sandbox.http.get(f"/charges/{made.json()['id']}").json() == found.json() == made.json()
    assert found.json() == {
        "id": "ch_1",
        "key": "one",
        "status": "succeeded",
        "amount": "12.30",
        "currency": "EUR",
    }


def test_the_same_key_gives_the_same_result_and_charges_once(sandbox: Sandbox) -> None:
    answers = [sandbox.charge() for _ in range(5)]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (201, answers[0].text),
    }
    assert sandbox.ledger() == {"one": (1, 0)}


def test_the_same_key_twenty_times_at_once_charges_once(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: sandbox.charge().status_code, range(20)))
    assert answers == [201] * 20
    assert sandbox.ledger() == {"one": (1, 0)}


def test_a_key_belongs_to_one_request(sandbox: Sandbox) -> None:
    sandbox.charge()
    assert sandbox.charge(amount="99.00").status_code == 422
    assert sandbox.ledger() == {"one": (1, 0)}


@pytest.mark.parametrize("token", ["tok_declined", "tok_nonsense"])
def test_a_token_that_is_not_good_is_declined_each_time(sandbox: Sandbox, token: str) -> None:
    assert [sandbox.charge(token=token).status_code for _ in range(2)] == [402, 402]
    assert sandbox.ledger() == {"one": (0, 0)}


def test_a_timeout_charges_first_and_hangs_once(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(hang=12.0)
    sandbox.charge(token="tok_timeout")
    assert sandbox.slept.count(12.0) == 1
    assert sandbox.charge(token="tok_timeout").json()["status"] == "succeeded"
    assert sandbox.slept.count(12.0) == 1
    assert sandbox.ledger() == {"one": (1, 0)}


def test_a_refund_happens_once(sandbox: Sandbox) -> None:
    sandbox.charge()
    answers = [sandbox.http.post("/charges/one/refund") for _ in range(3)]
    assert [(a.status_code, a.json()["status"]) for a in answers] == [(200, "refunded")] * 3
    assert sandbox.ledger() == {"one": (1, 1)}


def test_what_was_declined_or_never_charged_is_not_refunded(sandbox: Sandbox) -> None:
    sandbox.charge(token="tok_declined")
    assert sandbox.http.post("/charges/one/refund").status_code == 409
    assert sandbox.http.post("/charges/two/refund").status_code == 404
    assert sandbox.http.get("/charges/two").status_code == 404


def test_a_charge_survives_the_provider(sandbox: Sandbox) -> None:
    first = sandbox.charge()
    sandbox.restart()
    assert sandbox.charge().text == first.text
    assert sandbox.ledger() == {"one": (1, 0)}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "12.3"},
        {"amount": 12.30},
        {"amount": "-1.00"},
        {"currency": "euro"},
        {"token": None},
        {"metadata": []},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(sandbox: Sandbox, changes: dict[str, Any]) -> None:
    assert sandbox.charge(**changes).status_code == 400
    assert sandbox.ledger() == {}


def test_a_charge_needs_a_key(sandbox: Sandbox) -> None:
    assert sandbox.charge("").status_code == 400


@pytest.mark.parametrize("path", ["/ledger", "/charges/one", "/nothing"])
def test_nobody_gets_in_without_the_right_token(sandbox: Sandbox, path: str) -> None:
    refused = sandbox.http.get(path, headers={"Authorization": "Bearer another"})
    assert refused.status_code == 401


def test_its_health_needs_no_token(sandbox: Sandbox) -> None:
    sandbox.http.headers.pop("Authorization")
    assert sandbox.http.get("/health/ready").status_code == 200


def test_a_thread_that_ends_closes_its_connection(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left open, it is a ResourceWarning since Python 3.13, in whatever the collector meets."""
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    thread = Thread(target=sandbox.ledger)
    thread.start()
    thread.join()
    gc.collect()
    assert complaints == []
