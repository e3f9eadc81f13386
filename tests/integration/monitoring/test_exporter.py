"""The exporter reads what is true, and shows nothing of what it could not read."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from prometheus_client import generate_latest

from sharding.django.readings import Figure, Reading
from sharding.ids import new_id
from shop.accounts.models import User
from shop.config.celery import app
from shop.core import readings as core
from shop.core.models import DeadLetter, OutboxEvent
from shop.core.tasks import LIMITS
from shop.inventory import readings as inventory
from shop.inventory.models import Stock
from shop.monitoring.exporter import Collector, Exporter, collectors, registry
from shop.orders.services import create_order
from shop.payments import readings as payments
from shop.payments.models import Payment
from shop.payments.services import create_payment
from tests.conftest import MakeProduct

FIGURE = Figure("tests_figure", "x", ("node",))


def shown(readings: Iterable[Reading]) -> dict[str, float]:
    return {one.figure.name: one.value for one in readings}


def page(exporter: Exporter) -> str:
    return generate_latest(registry(exporter)).decode()


@pytest.mark.django_db
def test_books_that_agree_show_no_drift_and_others_do(make_product: MakeProduct) -> None:
    one, other = make_product("One", stock=10), make_product("Other", stock=10)
    assert set(shown(inventory.drift()).values()) == {0}
    Stock.objects.for_product(one.id).update(available=7)
    Stock.objects.for_product(other.id).update(available=20)
    assert shown(inventory.drift()) == {
        "shardmart_stock_drift_products": 2,
        "shardmart_stock_drift_units": 13,
    }
    unaccounted = make_product("Unaccounted")
    Stock.objects.create(product_id=unaccounted.id, available=5)  # with no line in the ledger
    assert shown(inventory.drift())["shardmart_stock_drift_products"] == 3


@pytest.mark.django_db
def test_refunds_that_are_due_are_counted_and_aged(ana: User) -> None:
    def due(method: str, hours: int) -> None:
        order = create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[])
        payment = create_payment(
            user_id=ana.id, order_id=order.id, amount=Decimal(5), payment_method=method
        )
        since = timezone.now() - timedelta(hours=hours)
        own = Payment.objects.for_user(ana.id).filter(id=payment.id)
        own.update(status="refund_due", updated_at=since)

    assert set(shown(payments.refunds_due()).values()) == {0}
    due("card", 2)
    due("bank_transfer", 30)
    due("bank_transfer", 1)
    found = {(one.figure.name, *one.labels): one.value for one in payments.refunds_due()}
    counts = {method: found["shardmart_due_refunds", method] for method in Payment.Method.values}
    assert counts == {"card": 1, "paypal": 0, "bank_transfer": 2}
    assert 30 * 3600 <= found[("shardmart_due_refunds_oldest_seconds",)] < 31 * 3600


@pytest.mark.django_db
def test_the_outbox_tells_what_waits_and_since_when(ana: User) -> None:
    def event(**values: Any) -> None:
        event = OutboxEvent(user_id=ana.id, topic="x", payload={}, **values)
        event.save(force_insert=True)
        created = timezone.now() - timedelta(hours=1)
        OutboxEvent.objects.for_user(ana.id).filter(id=event.id).update(created_at=created)

    now = timezone.now()
    event(due_at=None, published_at=now)  # done
    event(due_at=now + timedelta(hours=1), published_at=now)  # handed over, not done
    found = shown(core.outbox())
    assert (found["shardmart_outbox_waiting"], found["shardmart_outbox_unpublished"]) == (1, 0)
    assert found["shardmart_outbox_oldest_seconds"] == 0
    event(due_at=now - timedelta(minutes=1))  # overdue
    event(due_at=now + timedelta(minutes=9), published_at=now, handovers=3)  # tried again for long
    DeadLetter.objects.create(user_id=ana.id, task="x", kwargs={}, error="x", tries=1)
    found = shown(core.outbox())
    assert (found["shardmart_outbox_waiting"], found["shardmart_outbox_unpublished"]) == (3, 1)
    assert found["shardmart_outbox_held_up"] == 1
    assert 3600 <= found["shardmart_outbox_oldest_seconds"] < 3700
    assert found["shardmart_dead_letters"] == 1


def test_queues_that_nobody_has_used_are_empty() -> None:
    names = tuple(LIMITS)
    with app.connection_for_write() as connection:
        for name in names:  # other tests of this process have used them
            connection.default_channel.queue_purge(name)
    assert {one.labels[0]: one.value for one in core.queues()} == dict.fromkeys(names, 0)


def test_beat_is_known_by_what_it_sent_and_not_by_its_lock_or_schedule(
    settings: Any, tmp_path: Any
) -> None:
    settings.CELERY_BEAT_SCHEDULE_FILENAME = str(tmp_path / "beat-schedule")
    (tmp_path / "beat-schedule.lock").touch()
    (tmp_path / "beat-schedule.db").touch()
    assert list(core.beat()) == []
    (tmp_path / "beat-schedule.sent").touch()
    (reading,) = core.beat()
    assert reading.value == (tmp_path / "beat-schedule.sent").stat().st_mtime


def test_a_figure_that_cannot_be_read_any_more_is_gone_and_the_others_stay() -> None:
    broken = False

    def read() -> list[Reading]:
        if broken:
            raise OSError
        return [Reading(FIGURE, 7, ("one",))]

    other = Figure("tests_other", "x")
    exporter = Exporter(
        [Collector("first", read), Collector("second", lambda: [Reading(other, 1)])]
    )
    exporter.turn()
    assert 'tests_figure{node="one"} 7.0' in page(exporter)
    assert 'shardmart_collector_up{collector="first"} 1.0' in page(exporter)
    broken = True
    exporter.turn()
    assert "tests_figure" not in page(exporter)
    assert "tests_other 1.0" in page(exporter)
    assert 'shardmart_collector_up{collector="first"} 0.0' in page(exporter)
    assert 'last_success_timestamp_seconds{collector="first"}' in page(exporter)


def test_what_is_dear_is_read_less_often_and_stays_shown() -> None:
    reads: list[int] = []

    def read() -> list[Reading]:
        reads.append(1)
        return [Reading(FIGURE, len(reads), ("one",))]

    exporter = Exporter([Collector("dear", read, turns=4)])
    for _ in range(5):
        exporter.turn()
        assert "tests_figure" in page(exporter)
    assert len(reads) == 2


@pytest.mark.django_db
def test_the_command_reads_everything_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_metrics", "--once")
    text = capsys.readouterr().out
    for collector in collectors():
        assert f'shardmart_collector_up{{collector="{collector.name}"}} 1.0' in text
