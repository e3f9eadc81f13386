"""Who comes in at /admin/login/, and how often it may be tried."""

from secrets import token_hex
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.test import Client, RequestFactory

from shop.accounts import services as accounts
from shop.accounts import tokens
from shop.accounts.models import RefreshToken, User
from shop.core.roles import Role
from tests.conftest import PASSWORD
from tests.integration.admin.conftest import Open

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/?next=/admin/"


def log_in(name: str, password: str = PASSWORD, client: Client | None = None) -> Any:
    return (client or Client()).post(LOGIN, {"username": name, "password": password})


def is_in(response: HttpResponse) -> bool:
    return response.status_code == 302 and response["Location"] == "/admin/"


@pytest.mark.parametrize("name", ["sam", "SAM", "sam@example.com", "Sam@Example.com"])
def test_staff_log_in_by_either_name(sam: User, name: str) -> None:
    assert is_in(log_in(name))


@pytest.mark.parametrize(
    ("name", "password"),
    [("sam", "wrong"), ("nobody", PASSWORD), ("ana", PASSWORD), ("", ""), ("a\0", "b")],
)
def test_everybody_else_is_told_the_same(sam: User, ana: User, name: str, password: str) -> None:
    response = log_in(name, password)
    assert response.status_code == 200
    page = response.content.decode()
    said = "enter the correct username and password for a staff account" in page
    assert said or "required" in page or "Null characters" in page


def test_a_customer_is_nobody_here_whatever_page_asks(ana: User) -> None:
    assert authenticate(RequestFactory().post(LOGIN), username="ana", password=PASSWORD) is None


def test_an_address_as_a_username_does_not_stand_in_its_owners_way(sam: User) -> None:
    accounts.register(username=sam.email, email="m@example.com", password=PASSWORD)
    client = Client()
    assert is_in(log_in(sam.email, client=client))
    assert client.session["_auth_user_id"] == str(sam.pk)


def test_a_closed_account_does_not_come_in(sam: User) -> None:
    User.objects.for_user(sam.pk).update(is_active=False)
    assert not is_in(log_in("sam"))


def test_wrong_passwords_are_counted_with_those_of_the_api(sam: User, settings: Any) -> None:
    cache = {**settings.CACHES["state"], "KEY_PREFIX": token_hex(8)}  # counters of our own
    settings.CACHES = {**settings.CACHES, "state": cache}
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_account_address": "3/day"}
    client = Client()
    api = {"username": "sam", "password": "wrong"}
    client.post("/api/auth/login/", api, content_type="application/json")
    for _ in range(2):
        assert log_in("sam", "wrong").status_code == 200
    response = log_in("sam")
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "too many wrong passwords" in response.content.decode()


def test_without_redis_nobody_comes_in_and_is_told_so(sam: User, settings: Any) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "state": settings.CACHES["state"] | {"LOCATION": "redis://127.0.0.1:1/0"},
    }
    response = log_in("sam")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_a_form_without_its_token_is_refused(sam: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert log_in("sam", client=strict).status_code == 403


def test_a_session_is_kept_from_scripts_and_other_sites(sam: User) -> None:
    cookie = log_in("sam").cookies["staff_session"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/")


def test_a_session_opens_nothing_of_the_api(browser: Open, sam: User) -> None:
    assert browser(sam).get("/api/orders/").status_code == 401


def test_a_token_opens_no_staff_page(as_user: Any, sam: User) -> None:
    assert as_user(sam).get("/admin/").status_code == 302


def test_who_is_demoted_is_out_at_once(browser: Open, sam: User) -> None:
    pages = browser(sam)
    assert pages.get("/admin/").status_code == 200
    User.objects.for_user(sam.pk).update(role=Role.CUSTOMER)
    assert pages.get("/admin/").status_code == 302


def test_logging_out_ends_the_session(browser: Open, sam: User) -> None:
    pages = browser(sam)
    pages.post("/admin/logout/")
    assert pages.get("/admin/").status_code == 302


def change_password(pages: Client, old: str, new: str) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return pages.post("/admin/password_change/", form)


def test_a_new_password_ends_other_sessions_and_refresh_tokens(browser: Open, sam: User) -> None:
    tokens.issue(sam)
    here, elsewhere = browser(sam), browser(sam)
    assert change_password(here, PASSWORD, "an even better passphrase").status_code == 302
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    assert not RefreshToken.objects.for_user(sam.pk).exists()
    assert is_in(log_in("sam", "an even better passphrase"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("wrong", "an even better passphrase", "not your password"),
        (PASSWORD, "12345678", "entirely numeric"),
    ],
)
def test_a_password_is_not_changed_for_anybody_or_to_anything(
    browser: Open, sam: User, old: str, new: str, reason: str
) -> None:
    response = change_password(browser(sam), old, new)
    assert response.status_code == 200
    assert reason in response.content.decode()
    assert is_in(log_in("sam"))
