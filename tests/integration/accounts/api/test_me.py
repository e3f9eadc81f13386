"""One's own account, over HTTP: reading it, changing names and password, logging out."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts import tokens
from shop.accounts.models import Identity, RefreshToken, User
from tests.conftest import PASSWORD
from tests.integration.core.assertions import assert_problem, invalid_fields, unknown_fields

pytestmark = pytest.mark.django_db

ME = "/api/users/me/"
NEW_PASSWORD = "another long passphrase"


@pytest.fixture
def as_ana(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


def claimed_by(user: User) -> set[str]:
    found = Identity.objects.cross_shard().filter(user_id=user.id)
    return set(found.values_list("value", flat=True))


def login(client: APIClient, **fields: str) -> Any:
    return client.post("/api/auth/login/", {"password": PASSWORD, **fields})


def change_password(client: APIClient, **changes: Any) -> Any:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, **changes}
    return client.post("/api/users/me/password/", body)


def test_registering_says_where_the_account_is(client: APIClient) -> None:
    dora = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
    response = client.post("/api/auth/register/", dora)
    assert response.headers["Location"] == ME
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {response.json()['access']}")
    assert client.get(ME).json() == response.json()["user"]


def test_a_user_reads_their_own_account(as_ana: APIClient, ana: User) -> None:
    body = as_ana.get(ME).json()
    assert body["id"] == str(ana.id)
    assert body["email"] == "ana@example.com"
    assert "password" not in body


@pytest.mark.parametrize("method", ["get", "patch"])
def test_a_closed_account_is_neither_read_nor_changed(
    as_ana: APIClient, ana: User, method: str
) -> None:
    User.objects.for_user(ana.id).update(is_active=False)
    assert_problem(getattr(as_ana, method)(ME, {}), 403, "account_closed")


def test_what_is_left_out_of_a_change_stays(as_ana: APIClient) -> None:
    as_ana.patch(ME, {"first_name": "Ana", "last_name": "Lima"})
    before = as_ana.get(ME).json()
    changed = as_ana.patch(ME, {"last_name": ""})
    assert changed.status_code == 200
    assert changed.json() == as_ana.get(ME).json()
    assert changed.json()["first_name"] == "Ana"
    assert changed.json()["last_name"] == ""
    assert changed.json()["updated_at"] > before["updated_at"]


def test_nobody_promotes_themselves(as_ana: APIClient, ana: User) -> None:
    wanted = {"role": "admin", "is_active": False, "password": "x"}
    assert unknown_fields(as_ana.patch(ME, wanted)) == list(wanted)
    ana.refresh_from_db()
    assert (ana.role, ana.is_active) == ("customer", True)
    assert ana.check_password(PASSWORD)


def test_new_names_are_claimed_and_the_old_ones_are_free(
    as_ana: APIClient, ana: User, client: APIClient
) -> None:
    response = as_ana.patch(ME, {"username": "Anna", "email": "Anna@example.com"})
    assert response.json()["username"] == "Anna"
    assert claimed_by(ana) == {"username:anna", "email:anna@example.com"}
    assert login(client, username="ANNA").status_code == 200
    assert_problem(login(client, username="ana"), 401)
    old = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
    assert client.post("/api/auth/register/", old).status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"email": "BO@example.com"}, "email"), ({"username": "Bo", "email": "b@b.de"}, "username")],
)
def test_a_taken_name_is_a_conflict_that_changes_nothing(
    as_ana: APIClient, ana: User, bo: User, changes: dict[str, str], field: str
) -> None:
    if field == "username":
        User.objects.for_user(bo.id).update(username="bob")
        Identity.objects.create(value="username:bob", user_id=bo.id)
        changes = {**changes, "username": "Bob"}
    body = assert_problem(as_ana.patch(ME, {"first_name": "X", **changes}), 409, "already_taken")
    assert body["field"] == field
    assert claimed_by(ana) == {"username:ana", "email:ana@example.com"}
    assert as_ana.get(ME).json()["first_name"] == ""
    assert not Identity.objects.for_key("email:b@b.de").exists()


def test_ones_own_name_in_another_case_is_not_taken(as_ana: APIClient, ana: User) -> None:
    body = as_ana.patch(ME, {"username": "ANA", "email": "Ana@Example.com"}).json()
    assert (body["username"], body["email"]) == ("ANA", "Ana@Example.com")
    assert claimed_by(ana) == {"username:ana", "email:ana@example.com"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a b c"),
        ("username", None),
        ("email", "ana"),
        ("email", ""),
        ("first_name", "x" * 151),
        ("last_name", "a\0b"),
        ("last_name", None),
    ],
)
def test_an_unacceptable_change_names_its_field(as_ana: APIClient, field: str, value: Any) -> None:
    assert invalid_fields(as_ana.patch(ME, {field: value})) == {field}


def test_a_change_of_what_was_read_goes_through(as_ana: APIClient) -> None:
    etag = as_ana.get(ME).headers["ETag"]
    response = as_ana.patch(ME, {"first_name": "Ana"}, headers={"If-Match": etag})
    assert response.status_code == 200
    assert as_ana.get(ME).headers["ETag"] != etag


def test_a_change_of_what_has_changed_since_is_refused(as_ana: APIClient) -> None:
    etag = as_ana.get(ME).headers["ETag"]
    as_ana.patch(ME, {"first_name": "Anna"})
    response = as_ana.patch(ME, {"first_name": "Ana"}, headers={"If-Match": etag})
    assert_problem(response, 412, "precondition_failed")
    assert as_ana.get(ME).json()["first_name"] == "Anna"


def test_a_new_password_replaces_the_old_one(
    as_ana: APIClient, ana: User, client: APIClient
) -> None:
    assert change_password(as_ana).status_code == 204
    assert_problem(login(client, username="ana"), 401)
    assert login(client, username="ana", password=NEW_PASSWORD).status_code == 200


def test_a_new_password_ends_every_session(as_ana: APIClient, ana: User, bo: User) -> None:
    sessions = [tokens.issue(ana).refresh for _ in range(3)]
    kept = tokens.issue(bo).refresh
    change_password(as_ana)
    for refresh in sessions:
        assert_problem(as_ana.post("/api/auth/refresh/", {"refresh": refresh}), 401)
    assert as_ana.post("/api/auth/refresh/", {"refresh": kept}).status_code == 200


def test_without_the_current_password_nothing_changes(as_ana: APIClient, ana: User) -> None:
    refresh = tokens.issue(ana).refresh
    response = change_password(as_ana, current_password="wrong")
    assert invalid_fields(response) == {"current_password"}
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)
    assert as_ana.post("/api/auth/refresh/", {"refresh": refresh}).status_code == 200


@pytest.mark.parametrize("password", ["short", "12345678901", "ana@example.com"])
def test_a_weak_new_password_is_refused(as_ana: APIClient, password: str) -> None:
    assert invalid_fields(change_password(as_ana, new_password=password)) == {"new_password"}


@pytest.mark.parametrize("field", ["current_password", "new_password"])
@pytest.mark.parametrize("value", ["", None, "x" * 129, 1.5e3, []])
def test_a_password_has_the_form_of_one(as_ana: APIClient, field: str, value: Any) -> None:
    assert field in invalid_fields(change_password(as_ana, **{field: value}))


def test_the_password_of_a_closed_account_stays(as_ana: APIClient, ana: User) -> None:
    User.objects.for_user(ana.id).update(is_active=False)
    assert_problem(change_password(as_ana), 403, "account_closed")


def test_logging_out_ends_the_session_and_no_other(client: APIClient, ana: User) -> None:
    here, elsewhere = tokens.issue(ana).refresh, tokens.issue(ana).refresh
    newest = tokens.rotate(refresh=here).refresh
    assert client.post("/api/auth/logout/", {"refresh": newest}).status_code == 204
    assert_problem(client.post("/api/auth/refresh/", {"refresh": newest}), 401, "invalid_token")
    assert client.post("/api/auth/refresh/", {"refresh": elsewhere}).status_code == 200


def test_an_older_token_of_the_session_logs_out_too(client: APIClient, ana: User) -> None:
    first = tokens.issue(ana).refresh
    tokens.rotate(refresh=first)
    assert client.post("/api/auth/logout/", {"refresh": first}).status_code == 204
    assert not RefreshToken.objects.for_user(ana.id).exists()


def test_logging_out_twice_is_no_error(client: APIClient, ana: User) -> None:
    refresh = tokens.issue(ana).refresh
    answers = [client.post("/api/auth/logout/", {"refresh": refresh}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[0].content == b""


@pytest.mark.parametrize("token", ["x", "a.b.c", "ä"])
def test_what_is_no_refresh_token_logs_nobody_out(client: APIClient, token: str) -> None:
    assert_problem(client.post("/api/auth/logout/", {"refresh": token}), 401, "invalid_token")


def test_an_access_token_does_not_log_out(client: APIClient, ana: User) -> None:
    access = tokens.issue(ana).access
    assert_problem(client.post("/api/auth/logout/", {"refresh": access}), 401, "invalid_token")
    assert invalid_fields(client.post("/api/auth/logout/", {})) == {"refresh"}
