"""Registering, logging in, and what users change about their own accounts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from sharding.django.transactions import atomic, cursor_for
from sharding.ids import mark_of
from shop.accounts import attempts, tokens
from shop.accounts.attempts import Attempts
from shop.accounts.errors import FieldRefused, IdentityTaken, InvalidCredentials
from shop.accounts.models import Identity, Mark, User
from shop.accounts.passwords import hashed, is_right
from shop.accounts.selectors import active_user, locked_user, user_by_name
from shop.core.db import retried
from shop.core.errors import AccountClosed
from shop.core.roles import Role

# The names that are claimed, in the order in which everybody claims them.
CLAIMED = ("email", "username")

# Waits for whoever claims the same name at the same time. A claim that fails is no error of the
# database, whose log would tell the name.
CLAIM = "INSERT INTO {identities} (value, user_id) VALUES (%s, %s) ON CONFLICT (value) DO NOTHING"


@retried
def register(
    *, username: str, email: str, password: str, role: Role = Role.CUSTOMER, **profile: str
) -> User:
    """Create a user and claim their names, all or nothing.

    The claims lie on other shards than the user, so Citus commits in two phases. They are made in
    one order by everybody: two registrations for the same names wait for each other, and never
    both ways.

    Raises:
        IdentityTaken: the username or the e-mail address belongs to somebody else.
    """
    user = User(
        username=username,
        email=email,
        password=hashed(password),
        role=role,
        **profile,
    )
    with atomic(User, user.id):
        for kind in CLAIMED:
            _claim(kind, user)
        Mark.objects.create(value=mark_of(user.id), user_id=user.id)
        user.save(force_insert=True)
    return user


def sign_up(*, address: str, **fields: Any) -> tuple[User, tokens.Pair]:
    """Register a customer and log them in; their address is a known one from now on.

    Raises:
        IdentityTaken
        Throttled: this address was told of too many taken names.
    """
    with attempts.naming(address=address):
        user = register(**fields)
    attempts.remember(user, address=address)
    return user, tokens.issue(user)


def login(*, kind: str, name: str, password: str, address: str = "") -> tuple[User, tokens.Pair]:
    """Return the user and a new pair of tokens.

    An unknown name, a closed account and a wrong password cost the same: two queries, one run of
    the password hash, one failure counted.

    Args:
        kind: of the name, ``username`` or ``email``.
        address: of the client; empty for a caller inside, who is not limited.

    Raises:
        Throttled: too many failures before; the password was not looked at.
        InvalidCredentials: after the same work, whether the name or the password was wrong.
    """
    tried = Attempts(name=name, address=address)
    tried.require_room()
    user = user_by_name(kind=kind, name=name)
    if is_right(password, user) and user:
        attempts.remember(user, address=address)
        return user, _issued_if_unchanged(user)
    tried.failed()
    raise InvalidCredentials("The name or the password is wrong.")


def confirmed_user(*, user_id: UUID, field: str, password: str, address: str) -> User:
    """Return the caller's account if this is its password; what is wrong counts as at login.

    Args:
        field: of the request, to be named when the password is wrong.

    Raises:
        AccountClosed, Throttled, FieldRefused
    """
    user = active_user(user_id)
    tried = Attempts(name=user.username, address=address)
    tried.require_room()
    if not is_right(password, user):
        tried.failed()
        raise FieldRefused(field, "wrong_password", "This is not your password.")
    return user


def change_password(
    *, user_id: UUID, current_password: str, new_password: str, address: str
) -> None:
    """Replace the caller's password, and end all their refresh tokens.

    Access tokens that are out stay good until they expire, at most 15 minutes.

    Raises:
        FieldRefused: the current password is wrong, or the new one too weak.
        AccountClosed, Throttled
    """
    user = confirmed_user(
        user_id=user_id, field="current_password", password=current_password, address=address
    )
    try:
        validate_password(new_password, user)
    except ValidationError as error:
        raise FieldRefused("new_password", "invalid", *error.messages) from None
    _replace_password(user, hashed(new_password))


@retried
def _replace_password(user: User, password: str) -> None:
    with atomic(User, user.id):
        # The password that was confirmed is the one that is replaced: the row count decides.
        same = User.objects.for_user(user.id).filter(password=user.password, is_active=True)
        if not same.update(password=password, updated_at=timezone.now()):
            raise FieldRefused("current_password", "wrong_password", "This is not your password.")
        tokens.end_all(user.id)


def change_profile(
    *, user_id: UUID, changes: dict[str, Any], check: Callable[[User], None], address: str = ""
) -> User:
    """Change the caller's names; a new username or e-mail address is claimed, the old one freed.

    New names are claimed first, in the order of registration, and the old ones released after:
    whoever waits for one of ours holds nothing that we still wait for.

    Args:
        check: sees the user as they are, locked; what it raises undoes all.
        address: of the client; empty for a caller inside, who is not limited.

    Raises:
        IdentityTaken: a name belongs to somebody else.
        Throttled: this address was told of too many taken names.
        AccountClosed
    """
    names = address if changes.keys() & set(CLAIMED) else ""
    with attempts.naming(address=names):
        return _change_profile(user_id, changes, check)


@retried
def _change_profile(user_id: UUID, changes: dict[str, Any], check: Callable[[User], None]) -> User:
    with atomic(User, user_id):
        user = locked_user(user_id)
        if user is None:
            raise AccountClosed
        check(user)
        before = _names(user)
        for field, value in changes.items():
            setattr(user, field, value)
        after = _names(user)
        renamed = [kind for kind in CLAIMED if before[kind] != after[kind]]
        for kind in renamed:
            _claim(kind, user)
        for kind in renamed:
            Identity.objects.for_key(before[kind]).filter(user_id=user_id).delete()
        user.save(update_fields=[*changes, "updated_at"])
    return user


def anonymise(user: User) -> None:
    """Free a locked user's names and leave a row that tells nothing of them; end their tokens.

    The row stays: orders refer to it. Belongs into the transaction that locked it.
    """
    for kind in CLAIMED:
        Identity.objects.for_key(_names(user)[kind]).filter(user_id=user.id).delete()
    Mark.objects.for_key(mark_of(user.id)).delete()
    user.username = f"deleted-{user.id.hex}"
    user.email = f"{user.id.hex}@deleted.invalid"
    user.first_name = user.last_name = ""
    user.set_unusable_password()
    user.role = Role.CUSTOMER
    user.is_active = False
    user.deleted_at = timezone.now()
    user.save()
    tokens.end_all(user.id)


@retried
def _issued_if_unchanged(user: User) -> tokens.Pair:
    """Issue tokens, unless the password was changed or the account closed in this moment."""
    with atomic(User, user.id):
        locked = locked_user(user.id)
        if locked is None or locked.password != user.password:
            raise InvalidCredentials("The name or the password is wrong.")
        return tokens.issue(locked)


def _names(user: User) -> dict[str, str]:
    """Return the claimed form of each of the user's names."""
    return {kind: Identity.name_of(kind, getattr(user, kind)) for kind in CLAIMED}


def _claim(kind: str, user: User) -> None:
    value = _names(user)[kind]
    with cursor_for(Identity, value) as cursor:
        cursor.execute(CLAIM.format(identities=Identity._meta.db_table), [value, user.id])
        if not cursor.rowcount:
            raise IdentityTaken(kind)
