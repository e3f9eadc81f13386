"""Registering, logging in and refreshing, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from shop.accounts.models import Identity, RefreshToken, User
from tests.conftest import PASSWORD
from tests.integration.core.assertions import assert_problem, invalid_fields, unknown_fields

pytestmark = pytest.mark.django_db

DORA = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}


def register(client: APIClient, **changes: Any) -> Any:
    return client.post("/api/auth/register/", {**DORA, **changes})


def login(client: APIClient, **fields: Any) -> Any:
    return client.post("/api/auth/login/", {"password": PASSWORD, **fields})


def refresh(client: APIClient, token: str) -> Any:
    return client.post("/api/auth/refresh/", {"refresh": token})


def test_registering_makes_a_customer_with_tokens(client: APIClient) -> None:
    response = register(client, first_name="Dora", last_name="Dee")
    assert response.status_code == 201
    body = response.json()
    assert body.keys() == {"user", "access", "refresh"}
    user = User.objects.for_user(body["user"]["id"]).get()
    assert {k: v for k, v in body["user"].items() if k not in ("created_at", "updated_at")} == {
        "id": str(user.id),
        "username": "dora",
        "email": "dora@example.com",
        "first_name": "Dora",
        "last_name": "Dee",
        "role": "customer",
    }
    assert user.role == "customer"
    assert user.check_password(PASSWORD)


def test_no_answer_contains_the_password(client: APIClient) -> None:
    assert "password" not in register(client).json()["user"]
    assert "password" not in login(client, username="dora").json()["user"]


def test_the_access_token_opens_the_users_paths(client: APIClient) -> None:
    access = register(client).json()["access"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert client.get("/api/cart/").status_code == 200


def test_nobody_can_give_themselves_a_role(client: APIClient) -> None:
    wanted = {"role": "admin", "is_active": False, "id": "1"}
    assert unknown_fields(register(client, **wanted)) == list(wanted)
    assert not User.objects.cross_shard().exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "ANA@Example.com"}, "email"),
        ({"username": "Ana"}, "username"),
        ({"username": "ａｎａ"}, "username"),
    ],
)
def test_a_name_that_is_taken_in_any_case_is_a_conflict(
    client: APIClient, ana: User, changes: dict[str, str], field: str
) -> None:
    body = assert_problem(register(client, **changes), 409, "already_taken")
    assert body["field"] == field
    assert User.objects.cross_shard().count() == 1


def test_a_refused_registration_claims_nothing(client: APIClient, ana: User) -> None:
    assert_problem(register(client, username="ana"), 409)
    assert not Identity.objects.for_key("email:dora@example.com").exists()
    assert register(client).status_code == 201


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_a_missing_field_is_named(client: APIClient, field: str) -> None:
    body = {name: value for name, value in DORA.items() if name != field}
    assert invalid_fields(client.post("/api/auth/register/", body)) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a" * 151),
        ("username", "a b c"),
        ("username", "ab\nc"),
        ("username", "abc\0"),
        ("username", None),
        ("username", ["dora"]),
        ("email", "dora"),
        ("email", "dora@example"),
        ("email", "d" * 250 + "@example.com"),
        ("email", ""),
        ("email", {"a": 1}),
        ("password", ""),
        ("password", None),
        ("password", "x" * 129),
        ("first_name", "x" * 151),
        ("last_name", "a\0b"),
        ("last_name", []),
    ],
)
def test_an_unacceptable_field_is_named(client: APIClient, field: str, value: Any) -> None:
    assert invalid_fields(register(client, **{field: value})) == {field}
    assert User.objects.cross_shard().count() == 0


@pytest.mark.parametrize("password", ["short", "password", "12345678901", "dora@example.com"])
def test_a_weak_password_is_refused(client: APIClient, password: str) -> None:
    assert invalid_fields(register(client, password=password)) == {"password"}


@pytest.mark.parametrize(
    "name",
    [
        {"username": "ana"},
        {"username": "ANA"},
        {"email": "ana@example.com"},
        {"email": "Ana@EXAMPLE.com"},
    ],
)
def test_a_user_logs_in_by_either_name_in_any_case(
    client: APIClient, ana: User, name: dict[str, str]
) -> None:
    response = login(client, **name)
    assert response.status_code == 200
    assert response.json().keys() == {"user", "access", "refresh"}
    assert response.json()["user"]["id"] == str(ana.id)


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "ana", "password": "wrong"},
        {"username": "nobody"},
        {"email": "nobody@example.com"},
        {"email": "ana"},
        {"username": "ana@example.com"},
    ],
)
def test_a_wrong_name_and_a_wrong_password_get_one_answer(
    client: APIClient, ana: User, fields: dict[str, str]
) -> None:
    response = login(client, **fields)
    body = assert_problem(response, 401, "invalid_credentials")
    assert body["detail"] == "The name or the password is wrong."
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_deactivated_user_cannot_log_in(client: APIClient, ana: User) -> None:
    User.objects.for_user(ana.id).update(is_active=False)
    assert_problem(login(client, username="ana"), 401, "invalid_credentials")


@pytest.mark.parametrize("fields", [{}, {"username": "ana", "email": "ana@example.com"}])
def test_login_wants_exactly_one_name(client: APIClient, ana: User, fields: Any) -> None:
    assert invalid_fields(login(client, **fields)) == {""}


def test_a_refresh_token_gives_the_next_pair(client: APIClient) -> None:
    first = register(client).json()
    second = refresh(client, first["refresh"])
    assert second.status_code == 200
    assert second.json().keys() == {"access", "refresh"}
    assert second.json()["refresh"] != first["refresh"]
    assert refresh(client, second.json()["refresh"]).status_code == 200


@pytest.fixture
def without_grace(settings: Any) -> None:
    """As if the moment in which a refresh token may come again were over at once."""
    settings.REFRESH_GRACE = timedelta(0)


def test_two_tabs_that_refresh_at_once_both_stay_logged_in(client: APIClient) -> None:
    shared = register(client).json()["refresh"]
    pairs = [refresh(client, shared).json() for _tab in range(2)]
    assert len({pair["refresh"] for pair in pairs}) == 2
    for pair in pairs:
        assert refresh(client, pair["refresh"]).status_code == 200
    (family,) = set(RefreshToken.objects.cross_shard().values_list("family_id", flat=True))
    assert family


def test_the_pairs_of_two_tabs_end_together(client: APIClient) -> None:
    shared = register(client).json()["refresh"]
    one, other = (refresh(client, shared).json()["refresh"] for _tab in range(2))
    assert client.post("/api/auth/logout/", {"refresh": one}).status_code == 204
    assert_problem(refresh(client, other), 401, "invalid_token")


def test_a_refresh_token_that_comes_again_later_ends_its_family(
    client: APIClient, settings: Any
) -> None:
    stolen = register(client).json()["refresh"]
    newest = refresh(client, stolen).json()["refresh"]
    RefreshToken.objects.cross_shard().filter(used_at__isnull=False).update(
        used_at=timezone.now() - settings.REFRESH_GRACE - timedelta(seconds=1)
    )
    assert_problem(refresh(client, stolen), 401, "invalid_token")
    assert_problem(refresh(client, newest), 401, "invalid_token")
    assert RefreshToken.objects.cross_shard().count() == 0


@pytest.mark.usefixtures("without_grace")
def test_the_end_of_one_family_leaves_the_others(client: APIClient) -> None:
    stolen = register(client).json()["refresh"]
    elsewhere = login(client, username="dora").json()["refresh"]
    refresh(client, stolen)
    assert_problem(refresh(client, stolen), 401)
    assert refresh(client, elsewhere).status_code == 200


def test_the_refresh_token_of_a_closed_account_is_refused(client: APIClient) -> None:
    pair = register(client).json()
    User.objects.for_user(pair["user"]["id"]).update(is_active=False)
    assert_problem(refresh(client, pair["refresh"]), 401, "invalid_token")


def test_an_access_token_does_not_refresh(client: APIClient) -> None:
    assert_problem(refresh(client, register(client).json()["access"]), 401, "invalid_token")


def test_a_refresh_token_does_not_open_a_path(client: APIClient) -> None:
    token = register(client).json()["refresh"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert_problem(client.get("/api/cart/"), 401, "invalid_token")


@pytest.mark.parametrize("token", ["x", "a.b.c", "ä", "x" * 2000])
def test_what_is_no_refresh_token_is_refused(client: APIClient, token: str) -> None:
    assert_problem(refresh(client, token), 401, "invalid_token")


@pytest.mark.parametrize("token", ["", None, [], "x" * 2001, "a\0"])
def test_a_refresh_token_has_the_form_of_one(client: APIClient, token: Any) -> None:
    assert invalid_fields(refresh(client, token)) == {"refresh"}
