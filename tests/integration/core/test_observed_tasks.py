"""Tasks carry the id of the request that they follow from, and are counted as they end."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from sharding.django import work
from shop.accounts.models import User
from shop.core import broker, observed_tasks, outbox, tasks
from shop.core.logging import about, belonging_to, request_id
from shop.core.models import OutboxEvent
from shop.core.relay import Note, Relay


@pytest.fixture
def headers() -> Any:
    """The headers of the messages that are sent, into nowhere."""
    from celery.signals import before_task_publish

    seen: list[dict[str, Any]] = []

    def see(headers: dict[str, Any], **_: Any) -> None:
        seen.append(headers)

    before_task_publish.connect(see, weak=False)
    yield seen
    before_task_publish.disconnect(see)


@pytest.mark.django_db
def test_an_event_remembers_the_request_that_caused_it(ana: User) -> None:
    with belonging_to("mine"):
        event = outbox.publish(user_id=ana.id, topic="tests.nothing", payload={})
    assert OutboxEvent.objects.for_user(ana.id).get(id=event.id).request_id == "mine"


@pytest.mark.django_db
def test_the_sweep_sends_an_event_under_the_request_that_caused_it(
    ana: User, headers: list[dict[str, Any]]
) -> None:
    event = OutboxEvent(user_id=ana.id, topic="x", payload={}, request_id="mine")
    event.waiting_for = ["notifications.confirm_order"]
    event.save(force_insert=True)
    outbox._hand_over(event)
    assert [one["request_id"] for one in headers] == ["mine"]
    assert request_id.get() == ""


def test_the_relay_sends_a_note_under_the_request_that_left_it(
    headers: list[dict[str, Any]],
) -> None:
    relay = Relay(broker.hand_over)
    with belonging_to("mine"):
        relay.offer(Note(uuid4(), uuid4(), ("notifications.confirm_order",)))
    assert relay.wait(10)
    assert [one["request_id"] for one in headers] == ["mine"]


def run(name: str, **headers: Any) -> Any:
    """Run a task here, as a worker does that got it with these headers."""
    task = current_app.tasks[name]
    return task.apply(headers=headers)


@pytest.mark.django_db
def test_what_a_task_does_is_named_by_its_request_and_the_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def look(*_: Any, **__: Any) -> list[OutboxEvent]:
        seen["request_id"], seen["about"] = request_id.get(), about.get()
        list(OutboxEvent.objects.cross_shard()[:1])
        return []

    monkeypatch.setattr(outbox, "due_events", look)
    with CaptureQueriesContext(connection) as queries:
        run("core.sweep_outbox", request_id="mine")
    assert seen == {"request_id": "mine", "about": {"task": "core.sweep_outbox"}}
    assert queries[0]["sql"].endswith("/*request_id='mine',task='core.sweep_outbox'*/")
    assert (request_id.get(), about.get(), work.current.get()) == ("", None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "a b", "x*/", "x" * 65])
def test_a_task_without_an_acceptable_request_has_its_own_id(
    given: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.ACCESS_LOG = True
    seen: list[str] = []
    caplog.handler.addFilter(lambda _: seen.append(request_id.get()) or True)
    with caplog.at_level(logging.INFO, logger="shop.core.observed_tasks"):
        result = run("core.sweep_outbox", request_id=given)
    assert seen == [result.id]


@pytest.mark.django_db
def test_a_task_is_counted_by_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(outcome: str) -> float:
        labels = {"task": "core.sweep_outbox", "queue": "sweep", "outcome": outcome}
        name = "shardmart_task_duration_seconds_count"
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = counted("success"), counted("failure")
    run("core.sweep_outbox")
    monkeypatch.setattr(outbox, "sweep", lambda: 1 / 0)
    run("core.sweep_outbox")
    assert (counted("success"), counted("failure")) == (before[0] + 1, before[1] + 1)


def test_a_message_says_since_when_it_waits() -> None:
    headers: dict[str, Any] = {"task": "x", "eta": "2026-01-01T00:00:10+00:00"}
    observed_tasks.label(headers=headers)
    assert headers["waits_since"] == 1767225610.0
    assert headers["request_id"] == ""


def test_only_tasks_of_ours_get_a_label() -> None:
    assert tasks.queue_of("core.sweep_outbox") == "sweep"
    before = REGISTRY.get_sample_value("shardmart_tasks_sent_total", {"task": "evil"})
    observed_tasks.count_sent(sender="evil")
    assert before is None
    assert REGISTRY.get_sample_value("shardmart_tasks_sent_total", {"task": "evil"}) is None
