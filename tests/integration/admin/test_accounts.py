"""Accounts on the staff pages: found by name, listed when asked for, changed through services."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from shop.accounts import tokens
from shop.accounts.models import Identity, RefreshToken, User
from shop.accounts.selectors import user_by_name
from shop.core.admin import keyset
from shop.core.roles import Role
from tests.conftest import PASSWORD
from tests.integration.admin.conftest import Open
from tests.integration.admin.pages import EVERY_SHARD, USERS

pytestmark = pytest.mark.django_db

NEW = {
    "username": "dora",
    "email": "dora@example.com",
    "password": PASSWORD,
    "first_name": "Dora",
    "last_name": "",
    "role": "support",
}


def listed(response: Any) -> list[str]:
    """The usernames on a page."""
    return [user.username for user in response.context_data["cl"].result_list]


@pytest.mark.parametrize("query", ["ana", "ANA", "Ana@Example.com"])
def test_an_account_is_found_by_a_whole_name(
    browser: Open, sam: User, ana: User, query: str
) -> None:
    assert listed(browser(sam).get(USERS, {"q": query})) == ["ana"]


def test_an_account_is_found_by_its_id(browser: Open, sam: User, ana: User) -> None:
    assert listed(browser(sam).get(USERS, {"q": str(ana.pk)})) == ["ana"]


def test_a_name_that_is_anothers_address_finds_both(browser: Open, sam: User, ana: User) -> None:
    browser(sam).post(f"{USERS}add/", NEW | {"username": ana.email})
    assert set(listed(browser(sam).get(USERS, {"q": ana.email}))) == {"ana", ana.email}


@pytest.mark.parametrize("query", ["an", "example.com", "nobody", ""])
def test_nobody_is_listed_unless_asked_for(browser: Open, sam: User, ana: User, query: str) -> None:
    response = browser(sam).get(USERS, {"q": query})
    assert listed(response) == []
    assert ("Nobody was found" if query else "Nobody was asked for") in response.content.decode()


def test_all_are_listed_newest_first_page_by_page(
    browser: Open, sam: User, ana: User, bo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shop.accounts.admin import UserPage

    monkeypatch.setattr(UserPage, "list_per_page", 2)
    first = browser(sam).get(EVERY_SHARD + "all")
    assert listed(first) == ["bo", "ana"]
    second = browser(sam).get(USERS + first.context_data["cl"].next_page)
    assert listed(second) == ["sam"]
    assert second.context_data["cl"].next_page is None
    assert listed(browser(sam).get(USERS + second.context_data["cl"].first_page)) == ["bo", "ana"]
    assert keyset.AFTER in first.context_data["cl"].next_page


def test_one_role_can_be_listed(browser: Open, sam: User, ana: User) -> None:
    assert listed(browser(sam).get(EVERY_SHARD + "admin")) == ["sam"]


def test_a_new_account_claims_its_names(browser: Open, sam: User) -> None:
    assert browser(sam).post(f"{USERS}add/", NEW).status_code == 302
    dora = user_by_name(kind="email", name="DORA@example.com")
    assert dora is not None
    assert dora.check_password(PASSWORD)
    assert (dora.role, dora.first_name) == (Role.SUPPORT, "Dora")
    assert LogEntry.objects.filter(object_id=str(dora.pk), user_id=sam.pk).exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"username": "ANA"}, "This username is already taken."),
        ({"email": "Ana@example.com"}, "This email is already taken."),
        ({"password": "short"}, "This password is too short"),
        ({"password": "dora@example.com"}, "too similar"),
        ({"username": "d"}, "at least 3 characters"),
        ({"role": "owner"}, "not one of the available choices"),
    ],
)
def test_what_registration_refuses_is_refused_here(
    browser: Open, sam: User, ana: User, change: dict[str, str], reason: str
) -> None:
    response = browser(sam).post(f"{USERS}add/", NEW | change)
    assert response.status_code == 200
    assert reason in response.content.decode()
    assert user_by_name(kind="username", name="dora") is None


def test_a_name_that_is_claimed_in_the_same_moment_is_refused_with_a_message(
    browser: Open, sam: User, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.accounts.admin.owners_of", lambda **names: set())
    response = browser(sam).post(f"{USERS}add/", NEW | {"username": "ana"}, follow=True)
    assert "This username is already taken." in response.content.decode()
    assert not Identity.objects.for_key("email:dora@example.com").exists()


def test_a_change_of_the_role_ends_the_refresh_tokens(browser: Open, sam: User, ana: User) -> None:
    tokens.issue(ana)
    change = {"role": "support", "is_active": "on", "username": "mallory"}
    assert browser(sam).post(f"{USERS}{ana.pk}/change/", change).status_code == 302
    changed = User.objects.for_user(ana.pk).get()
    assert (changed.role, changed.username, changed.is_active) == (Role.SUPPORT, "ana", True)
    assert not RefreshToken.objects.for_user(ana.pk).exists()


def test_a_closed_account_leaves_the_staff_pages_at_once(
    browser: Open, sam: User, sue: User
) -> None:
    pages = browser(sue)
    assert pages.get("/admin/").status_code == 200
    browser(sam).post(f"{USERS}{sue.pk}/change/", {"role": "support"})
    assert pages.get("/admin/").status_code == 302


def test_nobody_changes_their_own_role(browser: Open, sam: User) -> None:
    url = f"{USERS}{sam.pk}/change/"
    browser(sam).post(url, {"role": "customer"})
    assert User.objects.for_user(sam.pk).get().role == Role.ADMIN


def test_no_account_is_deleted_here(browser: Open, sam: User, ana: User) -> None:
    assert browser(sam).post(f"{USERS}{ana.pk}/delete/", {"post": "yes"}).status_code == 403
