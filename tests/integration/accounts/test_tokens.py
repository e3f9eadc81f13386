"""Forged refresh tokens, and what a refresh token is allowed to be used for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings

from sharding.ids import new_id
from shop.accounts import tokens
from shop.accounts.errors import InvalidToken
from shop.accounts.models import RefreshToken, User

pytestmark = pytest.mark.django_db


def forged(refresh: str, *, key: str | None = settings.SECRET_KEY, **changes: Any) -> str:
    """Return a refresh token with changed claims; without a key, unsigned."""
    claims = jwt.decode(refresh, options={"verify_signature": False}) | changes
    return jwt.encode(claims, key, algorithm="HS256" if key else "none")  # type: ignore[arg-type]


def test_the_same_claims_under_our_key_are_no_forgery(ana: User) -> None:
    assert tokens.rotate(refresh=forged(tokens.issue(ana).refresh)).access


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "another-key-another-key-another-key-1"},
        {"key": None},
        {"exp": datetime.now(UTC) - timedelta(seconds=1)},
        {"token_type": "access"},
        {"jti": str(new_id())},
        {"jti": "1"},
        {"sub": str(new_id())},
        {"sub": "ana"},
    ],
    ids=",".join,
)
def test_a_forged_refresh_token_is_refused_and_harms_nobody(
    ana: User, changes: dict[str, Any]
) -> None:
    refresh = tokens.issue(ana).refresh
    with pytest.raises(InvalidToken):
        tokens.rotate(refresh=forged(refresh, **changes))
    assert tokens.rotate(refresh=refresh).access


def test_a_token_of_anas_cannot_be_passed_off_as_bos(ana: User, bo: User) -> None:
    refresh = tokens.issue(ana).refresh
    with pytest.raises(InvalidToken):
        tokens.rotate(refresh=forged(refresh, sub=str(bo.id)))


def test_a_rotation_that_fails_leaves_the_token_unused(ana: User) -> None:
    refresh = tokens.issue(ana).refresh
    User.objects.for_user(ana.id).update(is_active=False)
    with pytest.raises(InvalidToken, match="closed"):
        tokens.rotate(refresh=refresh)
    User.objects.for_user(ana.id).update(is_active=True)
    assert tokens.rotate(refresh=refresh).access


def test_a_familys_tokens_are_rows_of_their_user(ana: User, bo: User) -> None:
    tokens.rotate(refresh=tokens.issue(ana).refresh)
    used, fresh = RefreshToken.objects.for_user(ana.id).order_by("id")
    assert used.family_id == fresh.family_id
    assert used.used_at is not None
    assert fresh.used_at is None
    assert fresh.expires_at > datetime.now(UTC)
    assert not RefreshToken.objects.for_user(bo.id).exists()


def test_the_access_token_carries_the_role_of_now(ana: User) -> None:
    refresh = tokens.issue(ana).refresh
    User.objects.for_user(ana.id).update(role="support")
    access = tokens.rotate(refresh=refresh).access
    assert jwt.decode(access, options={"verify_signature": False})["role"] == "support"
