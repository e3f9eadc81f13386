"""An account is found by its names and its password on whatever device they are typed."""

from collections.abc import Callable
from typing import Any
from unicodedata import normalize

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.core.roles import Role
from tests.integration.core.assertions import assert_problem

pytestmark = pytest.mark.django_db

FORMS = ("NFC", "NFD")
PASSWORD = "Pâsswörd of Zoë"


def register(client: APIClient, form: str = "NFC", **fields: str) -> Any:
    body = {"username": "zoë", "email": "zoe@münchen.example", "password": PASSWORD} | fields
    typed = {name: normalize(form, text) for name, text in body.items()}
    return client.post("/api/auth/register/", typed)


@pytest.mark.parametrize("typed", FORMS)
@pytest.mark.parametrize("registered", FORMS)
def test_a_name_and_a_password_are_the_same_on_another_device(
    client: APIClient, registered: str, typed: str
) -> None:
    made = register(client, registered, first_name="Zoë")
    assert made.status_code == 201
    assert (made.json()["user"]["username"], made.json()["user"]["first_name"]) == ("zoë", "Zoë")
    password = normalize(typed, PASSWORD)
    for name in ({"username": normalize(typed, "zoë")}, {"email": "zoe@xn--mnchen-3ya.example"}):
        answer = client.post("/api/auth/login/", {**name, "password": password})
        assert answer.status_code == 200


@pytest.mark.parametrize("typed", FORMS)
def test_staff_come_in_with_it_as_well(client: APIClient, typed: str) -> None:
    user_id = register(client).json()["user"]["id"]
    User.objects.for_user(user_id).update(role=Role.ADMIN)
    form = {"username": normalize(typed, "zoë"), "password": normalize(typed, PASSWORD)}
    assert Client().post("/admin/login/?next=/admin/", form).status_code == 302


def test_a_password_that_was_hashed_as_it_was_typed_is_still_good(
    client: APIClient, ana: User
) -> None:
    typed = normalize("NFD", PASSWORD)
    User.objects.for_user(ana.id).update(password=make_password(typed))
    answer = client.post("/api/auth/login/", {"username": "ana", "password": typed})
    assert answer.status_code == 200


def test_a_new_password_is_confirmed_by_the_old_one_in_any_form(
    client: APIClient, as_user: Callable[[User], APIClient]
) -> None:
    user = User.objects.for_user(register(client).json()["user"]["id"]).get()
    change = {
        "current_password": normalize("NFD", PASSWORD),
        "new_password": normalize("NFD", f"another {PASSWORD}"),
    }
    assert as_user(user).post("/api/users/me/password/", change).status_code == 204
    fresh = {"username": "zoë", "password": normalize("NFC", f"another {PASSWORD}")}
    assert client.post("/api/auth/login/", fresh).status_code == 200


@pytest.mark.parametrize(
    "other",
    ["zoe@xn--mnchen-3ya.example", "ZOE@MÜNCHEN.example", normalize("NFD", "zoe@münchen.example")],
)
def test_an_address_is_claimed_in_all_its_spellings(client: APIClient, other: str) -> None:
    assert register(client).status_code == 201
    again = register(client, username="someone", email=other)
    assert assert_problem(again, 409, "already_taken")["field"] == "email"


def test_two_domains_that_look_alike_belong_to_two(client: APIClient) -> None:
    for number, domain in enumerate(("straße", "strasse")):
        made = register(client, username=f"zoe-{number}", email=f"zoe@{domain}.example")
        assert made.status_code == 201


@pytest.mark.parametrize("blank", [{"last_name": ""}, {"first_name": ""}, {"last_name": "  "}])
def test_who_has_one_name_leaves_the_other_blank(client: APIClient, blank: dict[str, str]) -> None:
    body = {"username": "teller1", "email": "teller1@example.com", "password": PASSWORD}
    answer = client.post("/api/auth/register/", {**body, "first_name": "Teller"} | blank)
    assert answer.status_code == 201
    [(field, _)] = blank.items()
    assert answer.json()["user"][field] == ""
