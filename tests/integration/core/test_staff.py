"""Who comes into the staff pages of our own, and which links they see."""

import pytest
from django.test import Client

from shop.accounts.models import User
from shop.core.roles import Role
from tests.conftest import PASSWORD
from tests.integration.admin.conftest import Open, browser, cat, sue

pytestmark = pytest.mark.django_db

__all__ = ["browser", "cat", "sue"]
PAGE = "/shards/"


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(ana: User, browser: Open) -> None:
    for client in (Client(), browser(ana)):
        response = client.get(f"{PAGE}?group=2")
        assert response.status_code == 302
        assert response["Location"] == "/admin/login/?next=/shards/%3Fgroup%3D2"


def test_after_the_login_they_are_where_they_wanted_to_be(sam: User) -> None:
    login = "/admin/login/?next=/shards/%3Fgroup%3D2"
    response = Client().post(login, {"username": "sam", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/shards/?group=2")


def test_another_role_is_told_so(browser: Open, sue: User) -> None:
    response = browser(sue).get(PAGE)
    assert response.status_code == 403
    assert "Not for your role" in response.content.decode()
    assert "support" in response.content.decode()


def test_a_closed_account_is_nobody(browser: Open, sam: User) -> None:
    client = browser(sam)
    User.objects.for_user(sam.pk).update(is_active=False)
    assert client.get(PAGE).status_code == 302


def test_a_role_that_was_taken_away_closes_the_page_at_once(browser: Open, sam: User) -> None:
    client = browser(sam)
    User.objects.for_user(sam.pk).update(role=Role.SUPPORT)
    assert client.get(PAGE).status_code == 403


def test_links_lead_only_where_one_may_go(browser: Open, sam: User, sue: User) -> None:
    link = '<a href="/shards/"'
    assert link in browser(sam).get("/admin/").content.decode()
    assert link not in browser(sue).get("/admin/").content.decode()
    assert link not in browser(sue).get(PAGE).content.decode()


def test_no_cache_keeps_a_page_and_no_script_stands_in_it(browser: Open, sam: User) -> None:
    response = browser(sam).get(PAGE)
    assert "no-store" in response["Cache-Control"]
    assert "style-src 'self'" in response["Content-Security-Policy"]
    assert "script-src 'self'" in response["Content-Security-Policy"]
    page = response.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
