"""The accounts as admins list and change them, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts import services as accounts
from shop.accounts import tokens
from shop.accounts.models import User
from shop.core.roles import Role
from tests.conftest import PASSWORD
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

USERS = "/api/users/"


@pytest.fixture
def as_sam(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


def staff(name: str, role: Role) -> User:
    return accounts.register(
        username=name, email=f"{name}@example.com", password=PASSWORD, role=role
    )


def listed(client: APIClient, **query: Any) -> list[str]:
    response = client.get(USERS, query)
    assert response.status_code == 200, response.content
    return [row["username"] for row in response.json()["results"]]


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_admins_see_or_change_accounts(
    ana: User, as_user: Callable[[User], APIClient], role: Role
) -> None:
    client = as_user(staff("tom", role))
    path = f"{USERS}{ana.id}/"
    for response in (client.get(USERS), client.get(path), client.patch(path, {"role": "admin"})):
        assert_problem(response, 403, "permission_denied")
    ana.refresh_from_db()
    assert ana.role == "customer"


def test_accounts_are_listed_newest_first_page_by_page(
    as_sam: APIClient, ana: User, bo: User, cleo: User
) -> None:
    assert listed(as_sam) == ["cleo", "bo", "ana", "sam"]
    first = as_sam.get(USERS, {"page_size": 3}).json()
    second = as_sam.get(first["next"]).json()
    assert [row["username"] for row in second["results"]] == ["sam"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"role": "customer"}, ["bo", "ana"]),
        ({"role": "admin"}, ["sam"]),
        ({"is_active": "false"}, ["bo"]),
        ({"is_active": "true"}, ["ana", "sam"]),
        ({"username": "ANA"}, ["ana"]),
        ({"email": "Bo@example.com"}, ["bo"]),
        ({"email": "bo@example.com", "username": "bo"}, ["bo"]),
        ({"email": "bo@example.com", "is_active": "true"}, []),
        ({"email": "bo@example.com", "username": "ana"}, []),
        ({"email": "bo@example.com", "username": "nobody"}, []),
        ({"username": "nobody"}, []),
        ({"username": "an"}, []),
    ],
)
def test_accounts_are_found_by_role_state_and_name(
    as_sam: APIClient, ana: User, bo: User, query: dict[str, str], names: list[str]
) -> None:
    User.objects.for_user(bo.id).update(is_active=False)
    assert listed(as_sam, **query) == names


@pytest.mark.parametrize("query", [{"role": "emperor"}, {"is_active": "maybe"}, {"email": "a\0"}])
def test_a_filter_that_makes_no_sense_is_named(as_sam: APIClient, query: dict[str, str]) -> None:
    assert invalid_fields(as_sam.get(USERS, query)) == set(query)


def test_an_account_shows_its_state_and_no_password(as_sam: APIClient, ana: User) -> None:
    body = as_sam.get(f"{USERS}{ana.id}/").json()
    assert (body["username"], body["role"], body["is_active"]) == ("ana", "customer", True)
    assert "password" not in body
    assert_problem(as_sam.get(f"{USERS}{new_id()}/"), 404, "not_found")
    assert_problem(as_sam.patch(f"{USERS}{new_id()}/", {"role": "support"}), 404, "not_found")


@pytest.mark.parametrize("changes", [{"role": "support"}, {"is_active": False}])
def test_a_change_ends_the_sessions_of_the_account(
    as_sam: APIClient, ana: User, changes: dict[str, Any]
) -> None:
    refresh = tokens.issue(ana).refresh
    response = as_sam.patch(f"{USERS}{ana.id}/", changes)
    assert response.status_code == 200
    assert response.json().items() >= changes.items()
    assert_problem(as_sam.post("/api/auth/refresh/", {"refresh": refresh}), 401, "invalid_token")


def test_a_change_that_changes_nothing_ends_nothing(as_sam: APIClient, ana: User) -> None:
    refresh = tokens.issue(ana).refresh
    unchanged = {"role": "customer", "is_active": True}
    assert as_sam.patch(f"{USERS}{ana.id}/", unchanged).json()["username"] == "ana"
    assert as_sam.post("/api/auth/refresh/", {"refresh": refresh}).status_code == 200


def test_a_deactivated_account_can_be_activated_again(
    as_sam: APIClient, ana: User, client: APIClient
) -> None:
    as_sam.patch(f"{USERS}{ana.id}/", {"is_active": False})
    given = {"username": "ana", "password": PASSWORD}
    assert_problem(client.post("/api/auth/login/", given), 401)
    as_sam.patch(f"{USERS}{ana.id}/", {"is_active": True})
    assert client.post("/api/auth/login/", given).status_code == 200


@pytest.mark.parametrize("changes", [{"role": "customer"}, {"is_active": False}])
def test_an_admin_leaves_their_own_role_and_state_to_others(
    as_sam: APIClient, sam: User, changes: dict[str, Any]
) -> None:
    tom = staff("tom", Role.ADMIN)
    assert_problem(as_sam.patch(f"{USERS}{sam.id}/", changes), 409, "own_account")
    sam.refresh_from_db()
    assert (sam.role, sam.is_active) == ("admin", True)
    assert as_sam.patch(f"{USERS}{tom.id}/", changes).status_code == 200


def test_of_two_admins_who_demote_each_other_one_remains(
    as_sam: APIClient, sam: User, as_user: Callable[[User], APIClient]
) -> None:
    tom = staff("tom", Role.ADMIN)
    as_tom = as_user(tom)
    assert as_sam.patch(f"{USERS}{tom.id}/", {"role": "support"}).status_code == 200
    refused = as_tom.patch(f"{USERS}{sam.id}/", {"role": "support"})
    assert_problem(refused, 403, "permission_denied")
    sam.refresh_from_db()
    assert sam.role == "admin"


@pytest.mark.parametrize("changes", [{"role": "emperor"}, {"role": None}, {"is_active": "maybe"}])
def test_an_unacceptable_change_names_its_field(
    as_sam: APIClient, ana: User, changes: dict[str, Any]
) -> None:
    assert invalid_fields(as_sam.patch(f"{USERS}{ana.id}/", changes)) == set(changes)
