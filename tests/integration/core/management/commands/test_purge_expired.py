"""What has had its time is removed, and nothing else."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from sharding.ids import new_id
from shop.accounts.models import RefreshToken, User
from shop.core import outbox
from shop.core.models import DeadLetter, IdempotencyKey, OutboxEvent
from shop.core.purging import perishable, purge
from shop.notifications.models import SentMail
from shop.payments.models import WebhookEvent
from shop.payments.services import record_event

pytestmark = pytest.mark.django_db

PERISHABLE = (IdempotencyKey, RefreshToken, WebhookEvent)
DAY = timedelta(days=1)


def purged(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_expired", *arguments, stdout=out)
    return out.getvalue()


def key(user: User, name: str, age: timedelta) -> None:
    IdempotencyKey.objects.create(user_id=user.id, key=name, fingerprint="f", status=201, body="1")
    row = IdempotencyKey.objects.for_user(user.id).filter(key=name)
    row.update(created_at=timezone.now() - age)


def token(user: User, left: timedelta) -> None:
    RefreshToken.objects.create(
        user_id=user.id, family_id=new_id(), expires_at=timezone.now() + left
    )


def event(user: User, name: str, age: timedelta) -> None:
    record_event(user_id=user.id, event_id=name, kind="payment.failed", payment_id=new_id())
    row = WebhookEvent.objects.for_user(user.id).filter(event_id=name)
    row.update(created_at=timezone.now() - age)


@pytest.fixture
def rows(ana: User, bo: User, cleo: User) -> None:
    """For each of three users: an expired row of each kind, and one that is not."""
    for user in (ana, bo, cleo):
        key(user, "old", DAY + timedelta(minutes=1))
        key(user, "new", DAY - timedelta(minutes=1))
        token(user, -timedelta(minutes=1))
        token(user, timedelta(minutes=1))
        event(user, "old", 30 * DAY + timedelta(minutes=1))
        event(user, "new", 30 * DAY - timedelta(minutes=1))


def left() -> list[int]:
    return [model.objects.cross_shard().count() for model in PERISHABLE]


def test_every_model_whose_rows_expire_takes_part() -> None:
    assert set(perishable()) >= set(PERISHABLE)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("batch", ["1", "2", "1000"])
def test_what_has_expired_is_removed_and_counted(batch: str) -> None:
    report = purged("--batch-size", batch)
    for name in ("idempotency keys", "refresh tokens", "webhook events"):
        assert f"{name}: 3 removed\n" in report
    assert left() == [3, 3, 3]
    assert {row.key for row in IdempotencyKey.objects.cross_shard()} == {"new"}
    assert {row.event_id for row in WebhookEvent.objects.cross_shard()} == {"new"}
    assert "3 removed" not in purged()


@pytest.mark.usefixtures("rows")
def test_a_dry_run_counts_and_removes_nothing() -> None:
    report = purged("--dry-run")
    for name in ("idempotency keys", "refresh tokens", "webhook events"):
        assert f"{name}: 3 would be removed\n" in report
    assert left() == [6, 6, 6]


def test_a_batch_is_no_larger_than_asked(ana: User) -> None:
    for number in range(5):
        key(ana, str(number), 2 * DAY)
    assert list(purge(IdempotencyKey, now=timezone.now(), batch_size=2)) == [2, 2, 1]


@pytest.mark.parametrize("size", ["0", "-1", "x", "10001", "9" * 5000, "٣"])
def test_a_batch_size_that_makes_no_sense_is_refused(size: str) -> None:
    with pytest.raises(CommandError, match="a number from 1 to 10000"):
        purged("--batch-size", size)


def test_a_key_that_is_used_again_just_before_it_goes_stays(ana: User) -> None:
    key(ana, "k", 2 * DAY)
    key(ana, "other", 2 * DAY)

    def renew(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE"):
            with connection.cursor() as cursor:
                renewal = "UPDATE core_idempotencykey SET created_at = now() WHERE key = 'k'"
                cursor.cursor.execute(renewal)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(renew):
        assert sum(purge(IdempotencyKey, now=timezone.now(), batch_size=10)) == 1
    assert [row.key for row in IdempotencyKey.objects.for_user(ana.id)] == ["k"]


def test_an_event_that_a_dead_letter_is_about_stays(ana: User) -> None:
    for name in ("about this one", "not about this one"):
        outbox.publish(user_id=ana.id, topic=name, payload={})
    events = OutboxEvent.objects.for_user(ana.id)
    events.update(created_at=timezone.now() - 31 * DAY)
    DeadLetter.objects.create(
        user_id=ana.id,
        event_id=events.get(topic="about this one").id,
        task="mail.write",
        kwargs={},
        error="no",
        tries=1,
    )
    assert sum(purge(OutboxEvent, now=timezone.now(), batch_size=10)) == 1
    assert [event.topic for event in events.all()] == ["about this one"]


def test_that_a_mail_was_sent_is_known_for_a_year(ana: User) -> None:
    now = timezone.now()
    for age in (365 * DAY + timedelta(minutes=1), 365 * DAY - timedelta(minutes=1)):
        SentMail.objects.create(
            user_id=ana.id, kind="shipped", subject_id=new_id(), sent_at=now - age
        )
    purged()
    [left] = SentMail.objects.for_user(ana.id)
    assert now - left.sent_at < 365 * DAY
