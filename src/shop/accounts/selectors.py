"""Reading accounts."""

from uuid import UUID

from django.db.models import QuerySet

from sharding.ids import mark_of
from shop.accounts.models import Identity, Mark, User
from shop.core.errors import AccountClosed, NotFound

NOBODY = UUID(int=0)


def active_user(user_id: UUID) -> User:
    """Return the caller's own account, or raise AccountClosed."""
    user = User.objects.for_user(user_id).filter(is_active=True).first()
    if user is None:
        raise AccountClosed
    return user


def user_of(user_id: UUID) -> User:
    """Return any account, or raise NotFound; for staff."""
    user = User.objects.for_user(user_id).first()
    if user is None:
        raise NotFound("There is no such user.")
    return user


def locked_user(user_id: UUID) -> User | None:
    """Lock an account until the transaction ends; None if it is not there or not active.

    Everything that issues or ends tokens does this first: none is issued beside a change of the
    password, the role or the account. The lock lets others refer to the row meanwhile.
    """
    users = User.objects.for_user(user_id).filter(is_active=True)
    return users.select_for_update(no_key=True).first()


def user_by_name(*, kind: str, name: str) -> User | None:
    """Return the active user who claimed a name; `kind` is ``username`` or ``email``.

    Two queries in any case: the time taken does not tell whether somebody has the name.
    """
    user_id = _claimed_by(kind, name) or NOBODY
    return User.objects.for_user(user_id).filter(is_active=True).first()


def users_for_staff(
    *,
    role: str | None = None,
    is_active: bool | None = None,
    username: str | None = None,
    email: str | None = None,
) -> QuerySet[User]:
    """Return all accounts that meet every condition: asks every shard, and no user waits for it.

    A username or an e-mail address is looked up among the claimed names, in any case; it leads to
    one account, and so to one shard.
    """
    names = [(kind, name) for kind, name in (("username", username), ("email", email)) if name]
    owners = {_claimed_by(kind, name) or NOBODY for kind, name in names}
    if len(owners) > 1:
        return User.objects.none()
    users = User.objects.for_user(owners.pop()) if owners else User.objects.cross_shard()
    if role is not None:
        users = users.filter(role=role)
    return users if is_active is None else users.filter(is_active=is_active)


def owners_of(**names: str) -> set[UUID]:
    """Return who claimed these names, by kind: ``owners_of(username="ana", email="ana@…")``."""
    found = {_claimed_by(kind, name) for kind, name in names.items()}
    return {user_id for user_id in found if user_id}


def owner_of(key: UUID) -> UUID | None:
    """Return whose order or payment this is, by its id alone: one single-shard query.

    None if the id carries nobody's mark: it was made before ids did, or up, or they are gone.
    """
    mark = Mark.objects.for_key(mark_of(key)).first()
    return mark.user_id if mark else None


def _claimed_by(kind: str, name: str) -> UUID | None:
    identity = Identity.objects.for_key(Identity.name_of(kind, name)).first()
    return identity.user_id if identity else None
