"""Admins keep the endpoints, and see what became of what was told."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.accounts.services import register
from shop.core.roles import Role
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.conftest import PASSWORD
from tests.integration.core.assertions import assert_problem, unknown_fields
from tests.integration.webhooks.conftest import Deliver, Merchant

pytestmark = pytest.mark.django_db

PATH = "/api/staff/webhooks/"
WANTED = {"url": "https://merchant.example/events", "topics": ["order.paid", "order.placed"]}


@pytest.fixture
def admin(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


def test_the_secret_is_shown_once(admin: APIClient) -> None:
    made = admin.post(PATH, WANTED)
    assert made.status_code == 201
    secret = made.json().pop("secret")
    assert len(secret) > 40
    assert made.headers["Location"] == f"{PATH}{made.json()['id']}/"
    assert secret not in admin.get(made.headers["Location"]).content.decode()
    assert secret not in admin.get(PATH).content.decode()
    assert WebhookEndpoint.objects.get().secret == secret


def test_nobody_chooses_the_secret(admin: APIClient) -> None:
    assert unknown_fields(admin.post(PATH, WANTED | {"secret": "mine"})) == ["secret"]


def test_an_endpoint_can_be_changed_and_removed(admin: APIClient) -> None:
    path = admin.post(PATH, WANTED).headers["Location"]
    changed = admin.patch(path, {"topics": ["order.shipped"], "is_active": False})
    assert changed.status_code == 200
    assert changed.json()["topics"] == ["order.shipped"]
    assert changed.json()["url"] == WANTED["url"]
    assert admin.delete(path).status_code == 204
    assert_problem(admin.get(path), 404, "not_found")
    assert_problem(admin.patch(path, {}), 404, "not_found")
    assert_problem(admin.delete(path), 404, "not_found")


@pytest.mark.parametrize("url", ["https://10.0.0.5/", "http://merchant.example/"])
def test_an_address_inside_is_refused(admin: APIClient, url: str) -> None:
    assert_problem(admin.post(PATH, WANTED | {"url": url}), 422, "unsafe_address")
    path = admin.post(PATH, WANTED).headers["Location"]
    assert_problem(admin.patch(path, {"url": url}), 422, "unsafe_address")
    assert admin.get(path).json()["url"] == WANTED["url"]


@pytest.mark.parametrize(
    "changes", [{"topics": []}, {"topics": ["order.eaten"]}, {"topics": "order.paid"}, {"url": ""}]
)
def test_what_makes_no_sense_is_refused(admin: APIClient, changes: dict[str, Any]) -> None:
    assert_problem(admin.post(PATH, WANTED | changes), 400, "invalid")


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SUPPORT, Role.CATALOG_MANAGER])
def test_it_is_for_admins_alone(role: Role, as_user: Callable[[User], APIClient]) -> None:
    somebody = as_user(register(username="x", email="x@example.com", password=PASSWORD, role=role))
    for path in (PATH, f"{PATH}1/", f"{PATH}1/deliveries/"):
        assert somebody.get(path).status_code == 403
    assert somebody.post(PATH, WANTED).status_code == 403


def test_deliveries_are_listed_and_replayed(
    admin: APIClient, deliver: Deliver, merchant: Merchant, endpoint: WebhookEndpoint
) -> None:
    merchant.answer = 503
    deliver()
    path = f"{PATH}{endpoint.id}/deliveries/"
    [listed] = admin.get(path).json()["results"]
    assert listed["topic"] == "order.placed"
    assert listed["status"] == "pending"
    [attempt] = listed["attempts"]
    assert (attempt["status"], attempt["error"]) == (503, "")
    again = admin.post(f"{path}{listed['user_id']}/{listed['id']}/replay/")
    assert again.status_code == 202
    assert again.json()["status"] == "pending"
    merchant.answer = 204
    assert deliver() == "delivered"


def test_what_is_not_there_is_not_replayed(
    admin: APIClient, deliver: Deliver, endpoint: WebhookEndpoint
) -> None:
    delivery = WebhookDelivery.objects.cross_shard().get()
    tail = f"deliveries/{delivery.user_id}/{delivery.id}/replay/"
    other = admin.post(PATH, WANTED).json()["id"]
    assert_problem(admin.post(f"{PATH}{other}/{tail}"), 404, "not_found")
    assert_problem(admin.post(f"{PATH}999999/{tail}"), 404, "not_found")
    admin.patch(f"{PATH}{endpoint.id}/", {"is_active": False})
    assert_problem(admin.post(f"{PATH}{endpoint.id}/{tail}"), 409, "endpoint_gone")
