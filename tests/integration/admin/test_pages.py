"""Every staff page opens, for those it is for."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from shop.accounts.models import User
from shop.catalog.models import Category
from shop.core.roles import Role
from tests.conftest import MakeProduct
from tests.integration.admin.conftest import Open
from tests.integration.admin.pages import (
    APPS,
    AUTOCOMPLETE,
    CATEGORIES,
    IMPORT,
    ORDERS,
    OWN,
    PAYMENTS,
    PRODUCTS,
    REVIEWS,
    STOCK,
    USERS,
    every_page,
)

pytestmark = pytest.mark.django_db


def test_every_page_opens_for_an_admin(
    browser: Open, sam: User, ana: User, category: Category, make_product: MakeProduct
) -> None:
    pages = browser(sam)
    product = make_product("A book", stock=3)
    found = {url: pages.get(url).status_code for url in every_page(ana, category, product)}
    assert len(found) > 50
    assert {url: status for url, status in found.items() if status != 200} == {}


def test_these_are_all_the_pages_there_are() -> None:
    assert {model._meta.label for model in admin.site._registry} == {
        "accounts.User",
        "catalog.Category",
        "catalog.Product",
        "inventory.Shelf",
        "webhooks.WebhookEndpoint",
    }
    assert {desk.model._meta.label for desk in admin.site.desks} == {
        "core.DeadLetter",
        "inventory.Shelf",
        "orders.Order",
        "payments.Payment",
        "reviews.Review",
        "webhooks.WebhookDelivery",
    }
    assert list(admin.site._actions) == []


def test_everybody_else_is_sent_to_the_login(
    ana: User, browser: Open, category: Category, make_product: MakeProduct
) -> None:
    product = make_product()
    for client in (Client(), browser(ana)):
        for url in every_page(ana, category, product):
            if "jsi18n" not in url:
                response = client.get(url)
                assert response.status_code == 302, url
                assert response["Location"].startswith("/admin/login/?next="), url


@pytest.mark.parametrize(
    ("role", "opened"),
    [
        (
            Role.CATALOG_MANAGER,
            {CATEGORIES, PRODUCTS, STOCK, IMPORT, "/admin/catalog/", "/admin/inventory/"},
        ),
        (
            Role.SUPPORT,
            {
                USERS,
                PRODUCTS,
                ORDERS,
                PAYMENTS,
                REVIEWS,
                *(
                    f"/admin/{app}/"
                    for app in ("accounts", "catalog", "orders", "payments", "reviews")
                ),
            },
        ),
    ],
)
def test_the_role_decides_which_pages_open(
    browser: Open,
    cat: User,
    sue: User,
    ana: User,
    category: Category,
    make_product: MakeProduct,
    role: Role,
    opened: set[str],
) -> None:
    pages = browser({Role.CATALOG_MANAGER: cat, Role.SUPPORT: sue}[role])
    product = make_product()
    apps = {url for url in opened if url in APPS}
    for url in every_page(ana, category, product):
        if url in {*OWN, AUTOCOMPLETE}:
            continue
        allowed = url in apps or any(url.startswith(base) for base in opened - apps)
        writes = url.endswith(("/add/", "/delete/"))
        allowed = allowed and not (role == Role.SUPPORT and writes)
        # The index of an app that is closed is as if it were not there.
        refusal = 404 if url in APPS else 403
        assert pages.get(url).status_code == (200 if allowed else refusal), url


def test_support_looks_at_accounts_and_changes_none(browser: Open, sue: User, ana: User) -> None:
    url = f"{USERS}{ana.pk}/change/"
    assert "_save" not in browser(sue).get(url).content.decode()
    assert browser(sue).post(url, {"role": "admin", "is_active": "on"}).status_code == 403
    assert User.objects.for_user(ana.pk).get().role == Role.CUSTOMER


def test_what_was_done_is_told_with_who_did_it(
    browser: Open, sam: User, cat: User, category: Category
) -> None:
    for user, name in ((sam, "Prose"), (cat, "Novels")):
        browser(user).post(f"{CATEGORIES}{category.pk}/change/", {"name": name, "parent": ""})
    LogEntry.objects.filter(user_id=cat.pk).update(user_id="00000000-0000-0000-0000-000000000000")
    history = browser(sam).get(f"{CATEGORIES}{category.pk}/history/").content.decode()
    assert "<td>sam</td>" in history
    assert "<td>(gone)</td>" in history
    assert "Novels" in browser(sam).get(CATEGORIES).content.decode()
    assert "Prose" in browser(sam).get("/admin/").content.decode()
