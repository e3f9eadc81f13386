"""Hashing a password, and telling whether it is somebody's, at the same cost for everybody."""

from django.contrib.auth.hashers import check_password, make_password

from shop.accounts.models import User
from shop.accounts.spelling import password_forms


def hashed(password: str) -> str:
    """Return the hash of a password in its normal form."""
    return make_password(password_forms(password)[0])


def is_right(password: str, user: User | None) -> bool:
    """Tell whether this is a user's password; as slow for nobody's, and for a wrong one."""
    forms = password_forms(password)
    if user is None:
        for form in forms:
            make_password(form)
        return False
    found = [check_password(form, user.password) for form in forms]  # all, in any case
    return any(found)
