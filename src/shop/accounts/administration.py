"""What admins change about accounts.

Invariant: an active admin remains. Nobody demotes or deactivates themselves, and whoever changes
another account is locked as an active admin while they do: of two admins who demote each other,
the second is no admin any more.
"""

from typing import Any
from uuid import UUID

from sharding.django.transactions import atomic
from shop.accounts import tokens
from shop.accounts.errors import AccountDeleted, NoLongerAdmin, OwnAccount
from shop.accounts.models import User
from shop.core.db import retrying
from shop.core.errors import NotFound
from shop.core.roles import USER_ADMINS


def change_account(*, admin_id: UUID, user_id: UUID, changes: dict[str, Any]) -> User:
    """Set an account's `role` or `is_active`; if that changes anything, end its refresh tokens.

    Access tokens that are out keep the old role until they expire, at most 15 minutes.

    Raises:
        NotFound: there is no such account.
        NoLongerAdmin: whoever asks is no active admin any more.
        OwnAccount: admins leave their own role and state to others.
        AccountDeleted: its owner has deleted it.
    """
    return retrying(lambda: _change(admin_id, user_id, changes))


def _change(admin_id: UUID, user_id: UUID, changes: dict[str, Any]) -> User:
    with atomic(User, user_id):
        rows = {key: _locked(key) for key in sorted({admin_id, user_id})}  # one order for all
        admin, user = rows[admin_id], rows[user_id]
        if admin is None or not admin.is_active or admin.role not in USER_ADMINS:
            raise NoLongerAdmin("You are no admin any more.")
        if user is None:
            raise NotFound("There is no such user.")
        if all(getattr(user, field) == value for field, value in changes.items()):
            return user
        if user_id == admin_id:
            raise OwnAccount("Ask another admin to change your own role or state.")
        if user.deleted_at is not None:
            raise AccountDeleted("This account was deleted by its owner.")
        for field, value in changes.items():
            setattr(user, field, value)
        user.save(update_fields=[*changes, "updated_at"])
        tokens.end_all(user_id)
    return user


def _locked(user_id: UUID) -> User | None:
    return User.objects.for_user(user_id).select_for_update(no_key=True).first()
