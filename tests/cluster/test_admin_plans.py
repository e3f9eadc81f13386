"""What the staff pages ask of the shards: one each, unless somebody asks for all of them."""

from typing import Any

import pytest
from django.test import Client

from sharding.django.backend.creation import TEST_SHARD_COUNT
from shop.accounts.models import User
from shop.core.models import DeadLetter
from tests.cluster.plans import Plan, recorded
from tests.conftest import MakeProduct
from tests.integration.admin.pages import (
    DESKS,
    EVERY_SHARD,
    LETTERS,
    PRODUCTS,
    STOCK,
    USERS,
    every_page,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(sam: User) -> Client:
    client = Client()
    client.force_login(sam)
    return client


def asked(client: Client, url: str, form: Any = None) -> list[Plan]:
    """The plans of every statement on a distributed table that a page sends."""
    with recorded() as plans:
        response = client.get(url) if form is None else client.post(url, form)
    assert response.status_code in {200, 302}, url
    return [plan for plan in plans if plan.is_distributed]


def test_every_page_asks_one_shard_at_a_time(
    pages: Client, ana: User, make_product: MakeProduct
) -> None:
    product = make_product("A book", stock=3)
    wide = {
        url: [plan.sql for plan in asked(pages, url) if plan.shards > 1]
        for url in every_page(ana, product.category, product)
        if not url.startswith(EVERY_SHARD)
    }
    assert {url: statements for url, statements in wide.items() if statements} == {}


@pytest.mark.parametrize("choice", ["all", "admin"])
def test_a_list_of_every_shard_asks_each_once_and_counts_nothing(
    pages: Client, choice: str
) -> None:
    wide = [plan for plan in asked(pages, EVERY_SHARD + choice) if plan.shards > 1]
    assert [plan.shards for plan in wide] == [TEST_SHARD_COUNT]
    assert "COUNT(" not in wide[0].sql
    assert "LIMIT 51 /*" in wide[0].sql  # the comment behind it names the request


def test_the_lists_of_products_and_stock_ask_no_shard_but_the_visitors(
    pages: Client, make_product: MakeProduct
) -> None:
    make_product("A book", stock=3)
    for url in (PRODUCTS, STOCK, USERS):
        assert {table for plan in asked(pages, url) for table in plan.tables} == {"accounts_user"}


def test_what_is_written_asks_one_shard_at_a_time(
    pages: Client, ana: User, make_product: MakeProduct
) -> None:
    product = make_product("A book", stock=3)
    plans = [
        *asked(pages, f"{STOCK}{product.pk}/change/", {"delta": "-1", "reason": "adjustment"}),
        *asked(pages, f"{USERS}{ana.pk}/change/", {"role": "support", "is_active": "on"}),
    ]
    assert len(plans) > 8
    assert [plan.sql for plan in plans if plan.shards != 1] == []


def test_a_desk_asks_no_shard_until_somebody_chooses_and_one_for_a_row(
    pages: Client, ana: User
) -> None:
    for url in DESKS:
        assert {table for plan in asked(pages, url) for table in plan.tables} == {"accounts_user"}
    letter = DeadLetter.objects.create(user_id=ana.pk, task="a.b", kwargs={}, error="", tries=1)
    row = f"{LETTERS}{ana.pk}/{letter.id}/"
    plans = [*asked(pages, row), *asked(pages, row, {"action": "drop"})]
    assert [plan.sql for plan in plans if plan.shards != 1] == []
    (wide,) = [plan for plan in asked(pages, f"{LETTERS}?show=all") if plan.shards > 1]
    assert wide.shards == TEST_SHARD_COUNT
    assert "COUNT(" not in wide.sql
    assert "LIMIT 51 /*" in wide.sql
