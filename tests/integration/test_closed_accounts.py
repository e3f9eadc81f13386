"""A token that outlives its account, or its role, changes nothing on any route of the URL map."""

from collections.abc import Callable
from threading import Event

import pytest
from django.apps import apps
from django.db import transaction

from shop.accounts import services as accounts
from shop.accounts.models import User
from shop.accounts.selectors import locked_user
from shop.carts import services as carts
from shop.core.errors import AccountClosed
from shop.core.roles import Role
from shop.reviews import services as reviews
from shop.wishlists import services as wishlists
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.assertions import assert_problem
from tests.integration.core.concurrency import PATIENCE, beside
from tests.integration.test_access import ACTORS, Key, World, _table

pytestmark = pytest.mark.django_db

ROWS = {key: dict(zip(ACTORS, row, strict=True)) for key, row in _table().items()}
# What staff may do and customers may not; what customers change of their own.
FOR_STAFF = [key for key, row in ROWS.items() if row["admin"] < 400 and row["other"] == 403]
OWN = [
    key
    for key, row in ROWS.items()
    if key[0] != "GET" and row["owner"] < 400 and row["nobody"] == 401
]


def refusals(world: World, keys: list[Key], actor: str) -> dict[Key, str]:
    """What code each of these requests is answered with; each is refused."""
    return {key: assert_problem(world.ask(*key, actor), 403)["code"] for key in keys}


def test_a_dismissed_admins_token_is_refused_at_every_staff_route(world: World, sam: User) -> None:
    assert len([key for key in FOR_STAFF if key[0] != "GET"]) >= 15
    User.objects.for_user(sam.id).update(is_active=False)
    assert set(refusals(world, FOR_STAFF, "admin").values()) == {"account_closed"}


def test_a_demoted_admins_token_is_refused_at_every_staff_route(world: World, sam: User) -> None:
    User.objects.for_user(sam.id).update(role=Role.CUSTOMER)
    assert set(refusals(world, FOR_STAFF, "admin").values()) == {"permission_denied"}


def test_an_admin_who_becomes_support_keeps_what_support_may_do(world: World, sam: User) -> None:
    User.objects.for_user(sam.id).update(role=Role.SUPPORT)
    answered = {key: world.ask(*key, "admin").status_code for key in FOR_STAFF}
    assert answered == {key: ROWS[key]["support"] for key in FOR_STAFF}


def test_a_closed_accounts_token_changes_nothing_on_any_route(world: World, ana: User) -> None:
    assert len(OWN) >= 15
    User.objects.for_user(ana.id).update(is_active=False)
    before = rows_of(ana)
    assert set(refusals(world, OWN, "owner").values()) == {"account_closed"}
    assert rows_of(ana) == before


def test_a_deleted_accounts_token_stores_nothing_on_any_route(world: World, ana: User) -> None:
    owner = world.clients["owner"]
    assert owner.delete("/api/users/me/", {"password": PASSWORD}).status_code == 204
    before = rows_of(ana)
    for key in OWN:
        answer = world.ask(*key, "owner")
        # What was theirs is gone, and not there to be refused.
        assert answer.json()["code"] in {"account_closed", "not_found"}, key
        if answer.status_code == 404:
            assert "review" in key[1]
    assert rows_of(ana) == before


def rows_of(user: User) -> dict[str, int]:
    """How many rows name a user, by table."""
    return {
        model._meta.label: model._default_manager.cross_shard().filter(user_id=user.id).count()  # type: ignore[attr-defined]
        for model in apps.get_models()
        if any(field.name == "user_id" for field in model._meta.get_fields())
        and hasattr(model._default_manager, "cross_shard")
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("add", [carts.add_item, wishlists.add_item, reviews.write_review])
def test_what_is_added_while_the_account_is_being_deleted_waits_and_is_refused(
    ana: User, make_product: MakeProduct, add: Callable[..., object]
) -> None:
    product_id, locked = make_product().id, Event()
    more = {carts.add_item: {"quantity": 1}, reviews.write_review: {"rating": 5}}.get(add, {})

    def addition() -> None:
        assert locked.wait(PATIENCE)
        add(user_id=ana.id, product_id=product_id, **more)

    with beside(addition) as [adding]:
        with transaction.atomic():
            user = locked_user(ana.id)
            locked.set()
            with pytest.raises(TimeoutError):
                adding.result(timeout=0.5)
            assert user
            accounts.anonymise(user)
        with pytest.raises(AccountClosed):
            adding.result()
    assert not any(rows_of(ana).values())
