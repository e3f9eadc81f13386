"""Reading accounts."""

from uuid import UUID

from shop.accounts.models import Identity, User
from shop.core.errors import NotFound


def user_of(user_id: UUID) -> User:
    """Return an active user, or raise NotFound."""
    user = User.objects.for_user(user_id).filter(is_active=True).first()
    if user is None:
        raise NotFound("There is no such user.")
    return user


def user_by_name(*, kind: str, name: str) -> User | None:
    """Return the active user who claimed a name; `kind` is ``username`` or ``email``."""
    identity = Identity.objects.for_key(Identity.name_of(kind, name)).first()
    if identity is None:
        return None
    return User.objects.for_user(identity.user_id).filter(is_active=True).first()
