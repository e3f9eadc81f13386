"""Staff without Redis are told so, and are still logged in when it is back."""

from typing import Any

import pytest
from django.test import Client

from shop.accounts.models import User
from tests.integration.core.assertions import assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(sam: User) -> Client:
    client = Client()
    client.force_login(sam)
    return client


def without_redis(settings: Any) -> Any:
    gone = settings.CACHES["state"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    return {**settings.CACHES, "state": gone}


@pytest.mark.parametrize("path", ["/admin/", "/admin/catalog/product/", "/admin/logout/"])
def test_a_staff_page_says_what_is_missing(browser: Client, settings: Any, path: str) -> None:
    settings.CACHES = without_redis(settings)
    for _ in range(5):  # until the breaker is open, and afterwards
        response = browser.post(path) if "logout" in path else browser.get(path)
        body = assert_problem(response, 503, "unavailable")
        assert "Sessions" in body["detail"]
        assert response["Retry-After"] == "5"


def test_nobody_is_logged_out_by_it(browser: Client, settings: Any) -> None:
    working = settings.CACHES
    assert browser.get("/admin/").status_code == 200
    settings.CACHES = without_redis(settings)
    assert browser.get("/admin/").status_code == 503
    settings.CACHES = working
    assert browser.get("/admin/").status_code == 200


def test_who_has_no_session_sees_the_login_page(settings: Any, db: None) -> None:
    settings.CACHES = without_redis(settings)
    assert Client().get("/admin/login/").status_code == 200
    assert Client().get("/admin/").status_code == 302


def test_the_api_goes_on(browser: Client, settings: Any) -> None:
    settings.CACHES = without_redis(settings)
    assert browser.get("/api/products/").status_code == 200
