"""An access token is believed when we signed it, for as long as it lives, and in no other case."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from sharding.ids import new_id
from shop.accounts.authentication import BearerToken, Principal
from shop.core.roles import Role

ANA = new_id()


def authenticate(header: str | None) -> Principal | None:
    headers = {} if header is None else {"Authorization": header}
    found = BearerToken().authenticate(APIRequestFactory().get("/", headers=headers))
    return found[0] if found else None


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a sound access token of Ana's, with changes; None leaves one out."""
    now = datetime.now(UTC)
    sound = {
        "token_type": "access",
        "sub": str(ANA),
        "role": "customer",
        "jti": "1",
        "iat": now,
        "exp": now + timedelta(minutes=1),
    }
    return {name: value for name, value in (sound | changes).items() if value is not None}


def signed(*, key: str = settings.SECRET_KEY, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_sound_token_names_its_user_and_role(scheme: str) -> None:
    assert authenticate(f"{scheme} {signed()}") == Principal(id=ANA, role=Role.CUSTOMER)


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Token abc"])
def test_without_a_bearer_token_nobody_is_named(header: str | None) -> None:
    assert authenticate(header) is None


def _tampered() -> str:
    head, _, signature = signed().split(".")
    body = signed(role="admin").split(".")[1]
    return f"{head}.{body}.{signature}"


def _of_another_kind() -> str:
    token = RefreshToken()
    token["sub"], token["role"] = str(ANA), "customer"
    return str(token)


FORGED = {
    "nothing": lambda: "",
    "no token": lambda: "abc",
    "three dots": lambda: "a.b.c",
    "not ASCII": lambda: "ä.ö.ü",
    "two tokens": lambda: f"{signed()} {signed()}",
    "cut off": lambda: signed()[:-2],
    "tampered": _tampered,
    "expired": lambda: signed(exp=datetime.now(UTC) - timedelta(seconds=1)),
    "without an end": lambda: signed(exp=None),
    "of another key": lambda: signed(key="another-key-another-key-another-key-1"),
    "alg none": lambda: jwt.encode(claims(), None, algorithm="none"),  # type: ignore[arg-type]
    "another algorithm": lambda: signed(key=settings.SECRET_KEY * 2, algorithm="HS512"),
    "a refresh token": _of_another_kind,
    "without a kind": lambda: signed(token_type=None),
    "without a user": lambda: signed(sub=None),
    "of no user": lambda: signed(sub="ana"),
    "without a role": lambda: signed(role=None),
    "of no role": lambda: signed(role="emperor"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_any_other_token_is_refused(kind: str) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        authenticate(f"Bearer {FORGED[kind]()}")
    assert caught.value.get_codes() == "invalid_token"


def test_the_challenge_names_the_scheme() -> None:
    assert BearerToken().authenticate_header(APIRequestFactory().get("/")).startswith("Bearer ")


def test_a_token_of_ours_is_sound() -> None:
    token = AccessToken()
    token["sub"], token["role"] = str(ANA), Role.ADMIN
    principal = authenticate(f"Bearer {token}")
    assert principal is not None
    assert principal.is_authenticated
    assert isinstance(principal.id, UUID)
    assert principal.role == Role.ADMIN
