"""`manage.py dead_letters`: what was given up is seen, replayed and dropped, with consent."""

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from shop.accounts.models import User
from shop.core import broker, dead_letters, outbox
from shop.core.models import DeadLetter, OutboxEvent

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("dead_letters", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def event(ana: User, monkeypatch: pytest.MonkeyPatch) -> OutboxEvent:
    monkeypatch.setattr(outbox, "_subscribers", {"it.happened": ["mail.write"]})
    return outbox.publish(user_id=ana.id, topic="it.happened", payload={"n": 1})


@pytest.fixture
def letter(event: OutboxEvent) -> DeadLetter:
    """A mail of Ana's that was given up."""
    buried = dead_letters.bury_delivery(
        user_id=event.user_id,
        event_id=event.id,
        subscriber="mail.write",
        error="the server is gone",
        tries=13,
    )
    assert buried
    return buried


@pytest.fixture
def other(db: None) -> DeadLetter:
    """A task for nobody in particular."""
    return dead_letters.bury_task(task="core.clean", kwargs={"n": 1}, error="no", tries=7)


def test_an_empty_list_says_so() -> None:
    assert run("list") == "There are no dead letters.\n"
    assert run("replay", "--all", "--yes") == "There are no dead letters.\n"


def test_the_list_names_task_tries_and_error(letter: DeadLetter, other: DeadLetter) -> None:
    text = run("list")
    assert str(letter.id) in text
    assert "mail.write" in text
    assert "the server is gone" in text
    assert "core.clean" not in run("list", "--task", "mail.write")


def test_the_list_is_there_for_programs_too(letter: DeadLetter, other: DeadLetter) -> None:
    rows = {row["task"]: row for row in json.loads(run("list", "--format", "json"))}
    assert rows["mail.write"]["user_id"] == str(letter.user_id)
    assert rows["core.clean"]["user_id"] is None
    assert rows["core.clean"]["kwargs"] == {"n": 1}


def test_a_replayed_delivery_is_due_again_and_needs_no_broker(
    letter: DeadLetter, event: OutboxEvent
) -> None:
    assert "will run again" in run("replay", "--id", str(letter.id), "--yes")
    event.refresh_from_db()
    assert event.waiting_for == ["mail.write"]
    assert event.due_at <= timezone.now()
    assert run("list") == "There are no dead letters.\n"


def test_a_replayed_task_is_sent(other: DeadLetter, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(broker, "send", lambda task, kwargs: sent.append((task, kwargs)))
    run("replay", "--all", "--yes")
    assert sent == [("core.clean", {"n": 1})]


def test_what_the_broker_refuses_stays(other: DeadLetter, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(task: str, kwargs: Any) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(broker, "send", refuse)
    with pytest.raises(CommandError, match="1 of 1 could not be replayed"):
        run("replay", "--all", "--yes")
    assert DeadLetter.objects.for_user(DeadLetter.NOBODY).count() == 1


def test_a_task_without_code_stays(other: DeadLetter) -> None:
    with pytest.raises(CommandError, match="could not be replayed"):
        run("replay", "--all", "--yes")
    assert "core.clean" in run("list")


def test_a_letter_holds_what_its_event_said(letter: DeadLetter) -> None:
    (row,) = json.loads(run("list", "--format", "json"))
    assert (row["topic"], row["payload"]) == ("it.happened", {"n": 1})


def test_a_letter_is_replayed_after_its_event_is_gone(letter: DeadLetter) -> None:
    OutboxEvent.objects.for_user(letter.user_id).delete()
    assert "will run again" in run("replay", "--all", "--yes")
    event = OutboxEvent.objects.for_user(letter.user_id).get()
    assert (event.id, event.topic, event.payload) == (letter.event_id, "it.happened", {"n": 1})
    assert event.waiting_for == ["mail.write"]
    assert event.due_at <= timezone.now()
    assert run("list") == "There are no dead letters.\n"


def test_a_replay_that_finds_nothing_keeps_the_letter_and_says_so(letter: DeadLetter) -> None:
    """As those do that were buried before letters held their event."""
    DeadLetter.objects.for_user(letter.user_id).update(topic="", payload=None)
    OutboxEvent.objects.for_user(letter.user_id).delete()
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1 could not be replayed"):
        call_command("dead_letters", "replay", "--all", "--yes", stdout=out)
    assert "stays: its event is gone" in out.getvalue()
    assert str(letter.id) in run("list")


def test_a_dropped_letter_is_gone_and_its_event_stays_as_it_was(
    letter: DeadLetter, event: OutboxEvent
) -> None:
    assert "dropped" in run("drop", "--id", str(letter.id), "--yes")
    event.refresh_from_db()
    assert (event.waiting_for, event.due_at) == ([], None)


@pytest.mark.parametrize("verb", ["replay", "drop"])
def test_without_consent_nothing_is_done(
    verb: str, letter: DeadLetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal
    with pytest.raises(CommandError, match="Nothing was done: say --yes"):
        run(verb, "--all")
    assert DeadLetter.objects.for_user(letter.user_id).exists()


def test_an_unknown_id_is_named() -> None:
    unknown = str(uuid4())
    with pytest.raises(CommandError, match=f"No such dead letter: {unknown}"):
        run("drop", "--id", unknown, "--yes")


def test_an_id_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="'seven' is no id"):
        run("drop", "--id", "seven")
