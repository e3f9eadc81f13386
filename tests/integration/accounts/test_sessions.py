"""A session that ends, ends whole, whatever else is under way at that moment."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from shop.accounts import administration, services, tokens
from shop.accounts.errors import IdentityTaken, InvalidToken, NoLongerAdmin
from shop.accounts.models import Identity, RefreshToken, User
from shop.accounts.selectors import locked_user
from shop.core.roles import Role
from tests.conftest import PASSWORD
from tests.integration.core.concurrency import PATIENCE, beside

pytestmark = pytest.mark.django_db(transaction=True)


def while_rotating(ana: User, refresh: str, end: Callable[[], object]) -> None:
    """Begin to end a session when its rotation is half done, and let the rotation finish first."""
    locked, ending = Event(), Event()

    def rotate() -> None:
        with transaction.atomic():
            locked_user(ana.id)
            locked.set()
            assert ending.wait(PATIENCE)
            Event().wait(0.3)  # the end waits for the lock by now
            tokens.rotate(refresh=refresh)

    def finish() -> None:
        assert locked.wait(PATIENCE)
        ending.set()
        end()

    with beside(rotate, finish) as both:
        pass
    for future in both:
        future.result()


def test_logging_out_beside_a_rotation_leaves_no_token(ana: User) -> None:
    first = tokens.issue(ana).refresh
    while_rotating(ana, first, lambda: tokens.end_family(refresh=first))
    assert not RefreshToken.objects.for_user(ana.id).exists()


def test_a_replay_beside_a_rotation_leaves_no_token(ana: User, settings: Any) -> None:
    settings.REFRESH_GRACE = timedelta(0)
    used = tokens.issue(ana).refresh
    newest = tokens.rotate(refresh=used).refresh

    def replay() -> None:
        with pytest.raises(InvalidToken):
            tokens.rotate(refresh=used)

    while_rotating(ana, newest, replay)
    assert not RefreshToken.objects.for_user(ana.id).exists()


def test_a_new_password_beside_a_rotation_leaves_no_token(ana: User) -> None:
    first = tokens.issue(ana).refresh
    change = lambda: services.change_password(  # noqa: E731
        user_id=ana.id, current_password=PASSWORD, new_password="another long one", address=""
    )
    while_rotating(ana, first, change)
    assert not RefreshToken.objects.for_user(ana.id).exists()


def test_one_token_rotated_at_once_gives_each_tab_a_pair_of_the_session(ana: User) -> None:
    refresh = tokens.issue(ana).refresh
    with beside(*[lambda: tokens.rotate(refresh=refresh)] * 6) as attempts:
        pass
    for pair in {attempt.result() for attempt in attempts}:
        assert tokens.rotate(refresh=pair.refresh).access
    assert RefreshToken.objects.for_user(ana.id).values("family_id").distinct().count() == 1


def test_without_a_grace_one_token_rotated_at_once_gives_one_pair_at_most(
    ana: User, settings: Any
) -> None:
    settings.REFRESH_GRACE = timedelta(0)
    refresh = tokens.issue(ana).refresh
    with beside(*[lambda: tokens.rotate(refresh=refresh)] * 6) as attempts:
        pass
    assert sum(attempt.exception() is None for attempt in attempts) == 1
    assert {type(attempt.exception()) for attempt in attempts} == {type(None), InvalidToken}
    assert not RefreshToken.objects.for_user(ana.id).exists()


def test_a_name_wanted_by_many_at_once_goes_to_one(ana: User, bo: User, cleo: User) -> None:
    def rename(user: User) -> User:
        return services.change_profile(
            user_id=user.id, changes={"username": "star"}, check=lambda user: None
        )

    with beside(*[lambda user=user: rename(user) for user in (ana, bo, cleo)]) as renames:
        pass
    refused = [rename.exception() for rename in renames if rename.exception()]
    assert [type(error) for error in refused] == [IdentityTaken] * 2
    claims = Identity.objects.cross_shard().filter(value__startswith="username:")
    assert len(claims) == 3
    owner = claims.get(value="username:star").user_id
    assert User.objects.for_user(owner).get().username == "star"


def test_two_admins_who_demote_each_other_at_once_leave_one(sam: User) -> None:
    tom = services.register(
        username="tom", email="tom@example.com", password=PASSWORD, role=Role.ADMIN
    )

    def demote(admin: User, user: User) -> User:
        return administration.change_account(
            admin_id=admin.id, user_id=user.id, changes={"role": Role.SUPPORT}
        )

    with beside(lambda: demote(sam, tom), lambda: demote(tom, sam)) as both:
        pass
    assert sorted(str(type(future.exception())) for future in both) == sorted(
        [str(NoLongerAdmin), str(type(None))]
    )
    assert User.objects.cross_shard().filter(role=Role.ADMIN).count() == 1


def test_a_name_that_is_taken_is_no_error_that_the_database_would_log(ana: User) -> None:
    failed: list[str] = []

    def listen(execute: Any, sql: str, *args: Any) -> Any:
        try:
            return execute(sql, *args)
        except DatabaseError:
            failed.append(sql)
            raise

    with connection.execute_wrapper(listen), pytest.raises(IdentityTaken):
        services.register(username="someone", email="ANA@example.com", password=PASSWORD)
    assert failed == []
