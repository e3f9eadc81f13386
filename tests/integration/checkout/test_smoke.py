from collections.abc import Iterator
from io import StringIO

import httpx
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from shop.accounts.models import User
from shop.checkout.smoke.client import Failed, Reporter, Shop
from shop.checkout.smoke.journey import Journey
from shop.inventory.models import Stock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the test's transaction open between requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def journey(lines: list[str]) -> Journey:
    """Return a journey through the application in this process, and so in this transaction."""
    transport = httpx.WSGITransport(app=get_wsgi_application())
    http = httpx.Client(transport=transport, base_url="http://127.0.0.1")
    return Journey(Shop(http, Reporter(lines.append)))


def test_the_whole_journey_succeeds_and_prints_its_steps() -> None:
    lines: list[str] = []
    journey(lines).play()
    assert len(lines) == 33
    assert lines[0].startswith("health ")
    assert lines[-4].startswith("order beyond the stock: refused ")
    assert " 409 " in lines[-4]
    assert lines[-1].startswith("it is gone for customers ")


def test_the_member_of_staff_is_deactivated_at_the_end() -> None:
    one = journey([])
    one.play()
    people = User.objects.cross_shard().values_list("username", "is_active")
    assert dict(people)[f"smoke-staff-{one.tag}"] is False
    assert dict(people)[f"smoke-buyer-{one.tag}"] is True


def test_a_wrong_answer_ends_the_journey_at_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    # As if placing an order took nothing off the shelf.
    monkeypatch.setattr("shop.checkout.services.inventory.take", lambda *args, **kwargs: None)
    with pytest.raises(Failed, match="the stock should be 7, but is 10") as failure:
        journey(lines).play()
    assert failure.value.step == "staff: the stock went down"
    assert Stock.objects.cross_shard().get().available == 10


def test_a_stack_that_does_not_run_is_said_in_a_sentence() -> None:
    with pytest.raises(CommandError, match=r"'health' failed: .* run `make up` first"):
        call_command("smoke", url="http://127.0.0.1:1", stdout=StringIO())
