"""A request that comes again gets the first answer, and has one effect."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.errors import AccountClosed, Conflict
from shop.core.idempotency import Answer, InProgress, KeyReused, run_once
from shop.core.models import IdempotencyKey, OutboxEvent
from tests.integration.core.concurrency import PATIENCE, beside

pytestmark = pytest.mark.django_db

BODY = {"z": "1.00", "a": [1, {"ä": None}]}


def effect(user_id: UUID, body: object = BODY, status: int = 201) -> Callable[[], Answer]:
    """Return work that leaves one row behind."""

    def work() -> Answer:
        OutboxEvent.objects.create(user_id=user_id, topic="done", payload={})
        return Answer(status, body)

    return work


def effects_of(user_id: UUID) -> int:
    return OutboxEvent.objects.for_user(user_id).count()


def run(
    user_id: UUID, work: Callable[[], Answer], key: str = "k", fingerprint: str = "f"
) -> Answer:
    return run_once(user_id=user_id, key=key, fingerprint=fingerprint, work=work)


def test_the_first_answer_comes_back_and_the_work_is_done_once(ana: User) -> None:
    first = run(ana.id, effect(ana.id))
    second = run(ana.id, effect(ana.id, {"other": 1}, 200))
    assert first == Answer(201, BODY, replayed=False)
    assert second == Answer(201, BODY, replayed=True)
    assert list(second.body) == list(BODY)
    assert effects_of(ana.id) == 1


def test_the_key_of_another_request_is_refused(ana: User) -> None:
    run(ana.id, effect(ana.id))
    with pytest.raises(KeyReused) as caught:
        run(ana.id, effect(ana.id), fingerprint="other")
    assert (caught.value.status, caught.value.code) == (422, "idempotency_key_reused")
    assert effects_of(ana.id) == 1


def test_each_key_and_each_user_stand_for_themselves(ana: User, bo: User) -> None:
    assert not run(ana.id, effect(ana.id)).replayed
    assert not run(ana.id, effect(ana.id), key="other").replayed
    assert not run(bo.id, effect(bo.id)).replayed
    assert (effects_of(ana.id), effects_of(bo.id)) == (2, 1)


def test_an_error_is_not_stored_and_leaves_nothing(ana: User) -> None:
    def failing() -> Answer:
        effect(ana.id)()
        raise Conflict("not now")

    with pytest.raises(Conflict, match="not now"):
        run(ana.id, failing)
    assert effects_of(ana.id) == 0
    assert not IdempotencyKey.objects.for_user(ana.id).exists()
    assert not run(ana.id, effect(ana.id)).replayed


def test_nobody_works_for_a_user_who_does_not_exist() -> None:
    nobody = new_id()
    with pytest.raises(AccountClosed):
        run(nobody, effect(nobody))


def test_nobody_works_for_a_closed_account_not_even_its_old_answers(ana: User) -> None:
    run(ana.id, effect(ana.id))
    User.objects.for_user(ana.id).update(is_active=False)
    for key in ("k", "other"):
        with pytest.raises(AccountClosed):
            run(ana.id, effect(ana.id), key=key)
    assert effects_of(ana.id) == 1


def test_the_answer_is_stored_in_the_transaction_of_its_effect(ana: User) -> None:
    with transaction.atomic():
        run(ana.id, effect(ana.id))
        transaction.set_rollback(True)
    assert effects_of(ana.id) == 0
    assert not IdempotencyKey.objects.for_user(ana.id).exists()


def test_an_answer_stored_meanwhile_is_given_and_the_own_effect_undone(ana: User) -> None:
    """The key's uniqueness holds where the lock does not: while a shard moves."""

    def overtaken() -> Answer:
        answer = effect(ana.id)()
        IdempotencyKey.objects.create(
            user_id=ana.id, key="k", fingerprint="f", status=201, body='{"by": "another"}'
        )
        return answer

    with pytest.raises(InProgress):  # the other's row went with this transaction: nothing to tell
        run(ana.id, overtaken)
    assert effects_of(ana.id) == 0


def _age(user: User, age: timedelta) -> None:
    IdempotencyKey.objects.for_user(user.id).update(created_at=timezone.now() - age)


def test_an_answer_is_given_again_for_a_day(ana: User) -> None:
    run(ana.id, effect(ana.id))
    _age(ana, timedelta(hours=23, minutes=59))
    assert run(ana.id, effect(ana.id)).replayed


@pytest.mark.parametrize("fingerprint", ["f", "other"])
def test_after_a_day_a_key_is_free_again_purged_or_not(ana: User, fingerprint: str) -> None:
    run(ana.id, effect(ana.id))
    _age(ana, timedelta(hours=24, minutes=1))
    again = run(ana.id, effect(ana.id, {"new": 1}, 200), fingerprint=fingerprint)
    assert again == Answer(200, {"new": 1}, replayed=False)
    assert effects_of(ana.id) == 2
    replayed = run(ana.id, effect(ana.id), fingerprint=fingerprint)
    assert replayed == Answer(200, {"new": 1}, replayed=True)
    assert IdempotencyKey.objects.for_user(ana.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_second_request_is_turned_away_while_the_first_still_runs(ana: User) -> None:
    started, may_end = Event(), Event()

    def slow() -> Answer:
        answer = effect(ana.id)()
        started.set()
        assert may_end.wait(PATIENCE)
        return answer

    with beside(lambda: run(ana.id, slow)) as (first,):
        assert started.wait(PATIENCE)
        try:
            with pytest.raises(InProgress) as caught:
                run(ana.id, effect(ana.id))
            assert not run(ana.id, effect(ana.id), key="other").replayed
        finally:
            may_end.set()
    assert (caught.value.status, caught.value.code) == (409, "in_progress")
    assert caught.value.headers["Retry-After"] == "1"
    assert not first.result().replayed
    assert run(ana.id, effect(ana.id)).replayed
    assert effects_of(ana.id) == 2


@pytest.mark.django_db(transaction=True)
def test_a_retry_that_fails_because_the_first_has_just_ended_gets_the_firsts_answer(
    ana: User,
) -> None:
    """The lock was free, the answer not yet to be seen: it committed between the two looks."""

    def store() -> None:
        IdempotencyKey.objects.create(
            user_id=ana.id, key="k", fingerprint="f", status=201, body='{"by": "the first"}'
        )

    def overtaken() -> Answer:
        effect(ana.id)()
        with beside(store):
            pass
        raise Conflict("the cart is empty")

    assert run(ana.id, overtaken) == Answer(201, {"by": "the first"}, replayed=True)
    assert effects_of(ana.id) == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_does_the_work(ana: User) -> None:
    def attempt() -> bool | None:
        try:
            return run(ana.id, effect(ana.id)).replayed
        except InProgress:
            return None

    with beside(*[attempt] * 8) as answers:
        pass
    assert [answer.result() for answer in answers].count(False) == 1
    assert effects_of(ana.id) == 1
