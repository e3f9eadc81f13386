"""Access tokens that need no query, and refresh tokens that work once.

A refresh token is a row on its user's shard. Using it retires it and issues the next of its
family. For a moment (settings.REFRESH_GRACE) it may come again, and gets another pair: two tabs
renew at once, or an answer got lost. One that comes back later was stolen, from the client or by
it; nobody can tell, so the whole family ends and the user logs in again.

An access token is believed until it expires: at most 15 minutes (ACCESS_TOKEN_LIFETIME) after a
logout, a change of the role, or the end of the account. What ends at once is its renewal.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone as django_timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken
from rest_framework_simplejwt.tokens import RefreshToken as SignedRefreshToken

from sharding.django.transactions import atomic
from sharding.ids import new_id
from shop.accounts.errors import InvalidToken
from shop.accounts.models import RefreshToken, User
from shop.accounts.selectors import locked_user
from shop.core.db import retried


class Pair(NamedTuple):
    """What a client keeps: one token to ask with, one to get the next pair with."""

    access: str
    refresh: str


def issue(user: User, *, family_id: UUID | None = None) -> Pair:
    """Return a new pair for the user, of a new family unless one is given."""
    now = django_timezone.now()
    row = RefreshToken.objects.create(
        user_id=user.id,
        family_id=family_id or new_id(),
        expires_at=now + api_settings.REFRESH_TOKEN_LIFETIME,
    )
    return Pair(_access(user), _refresh(row))


@retried
def rotate(*, refresh: str) -> Pair:
    """Return the next pair of the refresh token's family.

    Raises:
        InvalidToken: malformed, expired, unknown, or used a while before; the last ends the family.
    """
    user_id, token_id = _read(refresh)
    with atomic(User, user_id):
        user = locked_user(user_id)
        if user is None:
            raise InvalidToken("This account is closed.")
        rows = RefreshToken.objects.for_user(user_id)
        row = rows.filter(id=token_id).first()
        if row is None:
            raise InvalidToken("This refresh token is not known.")
        now = django_timezone.now()
        if row.used_at is None:
            row.used_at = now
            row.save(update_fields=["used_at"])
        if now - row.used_at <= settings.REFRESH_GRACE:
            return issue(user, family_id=row.family_id)
        rows.filter(family_id=row.family_id).delete()
    raise InvalidToken("This refresh token was used before; log in again.")


@retried
def end_family(*, refresh: str) -> None:
    """End the family of a refresh token, used or not; it is no error if it has ended already.

    Raises:
        InvalidToken: malformed or expired.
    """
    user_id, token_id = _read(refresh)
    with atomic(User, user_id):
        locked_user(user_id)  # a rotation that is under way would leave its new token behind
        rows = RefreshToken.objects.for_user(user_id)
        row = rows.filter(id=token_id).first()
        if row is not None:
            rows.filter(family_id=row.family_id).delete()


def end_all(user_id: UUID) -> None:
    """End every family of a user; belongs into the transaction that locked or changed the user."""
    RefreshToken.objects.for_user(user_id).delete()


def _read(raw: str) -> tuple[UUID, UUID]:
    try:
        token = SignedRefreshToken(raw)  # type: ignore[arg-type]
        return UUID(token["sub"]), UUID(token["jti"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        raise InvalidToken("The refresh token is malformed or has expired.") from None


def _access(user: User) -> str:
    token = AccessToken()
    token["sub"] = str(user.id)
    token["role"] = user.role
    return str(token)


def _refresh(row: RefreshToken) -> str:
    token = SignedRefreshToken()
    token["sub"] = str(row.user_id)
    token["jti"] = str(row.id)
    token.set_exp(from_time=datetime.now(UTC))
    return str(token)
