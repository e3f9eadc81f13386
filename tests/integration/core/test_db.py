"""A real deadlock, and what else the database may refuse."""

from threading import Barrier
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from shop.accounts.models import User
from shop.core.db import retrying
from tests.integration.core.concurrency import PATIENCE, beside


def _rename(user_id: UUID, name: str) -> None:
    User.objects.for_user(user_id).update(first_name=name)


@pytest.mark.django_db(transaction=True)
def test_two_transactions_that_cross_both_succeed(ana: User, bo: User) -> None:
    both_hold_one = Barrier(2, timeout=PATIENCE)
    attempts: list[str] = []

    def crossing(name: str, first: UUID, second: UUID) -> None:
        def work() -> None:
            attempts.append(name)
            with transaction.atomic():
                _rename(first, name)
                if attempts.count(name) == 1:
                    both_hold_one.wait()
                _rename(second, name)

        retrying(work)

    with beside(
        lambda: crossing("one", ana.id, bo.id), lambda: crossing("two", bo.id, ana.id)
    ) as ended:
        pass
    assert [done.result() for done in ended] == [None, None]
    assert len(attempts) >= 3
    names = {User.objects.for_user(user.id).get().first_name for user in (ana, bo)}
    assert len(names) == 1
    assert names <= {"one", "two"}


@pytest.mark.django_db
def test_a_statement_that_takes_too_long_is_not_tried_again() -> None:
    attempts = []

    def work() -> None:
        attempts.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10ms'")
            cursor.execute("SELECT pg_sleep(10)")

    with pytest.raises(OperationalError, match="statement timeout"):
        retrying(work)
    assert attempts == [1]
