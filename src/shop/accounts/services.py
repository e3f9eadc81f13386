"""Registering and logging in."""

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from shop.accounts import tokens
from shop.accounts.errors import IdentityTaken, InvalidCredentials
from shop.accounts.models import Identity, User
from shop.accounts.selectors import user_by_name
from shop.core.roles import Role


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
        password=make_password(password),
        role=role,
        **profile,
    )
    with transaction.atomic():
        for kind, name in (("email", email), ("username", username)):
            _claim(kind, name, user)
        user.save(force_insert=True)
    return user


def _claim(kind: str, name: str, user: User) -> None:
    try:
        Identity.objects.create(value=Identity.name_of(kind, name), user_id=user.id)
    except IntegrityError as error:
        raise IdentityTaken(kind) from error


def login(*, kind: str, name: str, password: str) -> tuple[User, tokens.Pair]:
    """Return the user and a new pair of tokens.

    Raises:
        InvalidCredentials: after the same work, whether the name or the password was wrong.
    """
    user = user_by_name(kind=kind, name=name)
    if user is None:
        make_password(password)  # as slow as checking one
    elif check_password(password, user.password):
        return user, tokens.issue(user)
    raise InvalidCredentials("The name or the password is wrong.")
