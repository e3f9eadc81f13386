"""Staff at the login of /admin/, recognised by the same names and counted by the same limits."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from shop.accounts.attempts import Attempts, remember
from shop.accounts.models import User
from shop.accounts.passwords import is_right
from shop.accounts.selectors import user_by_name
from shop.core.addresses import client_address


class StaffBackend(BaseBackend):
    """Authenticates by username or e-mail: two single-shard queries for each, identity and user.

    What somebody may do is decided by their role (`User.has_perm`), not here.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the member of staff; None for anybody else, after the same work.

        Raises:
            Throttled: there were too many wrong passwords, for this name or from this address.
        """
        if not username or password is None:
            return None
        address = client_address(request) if request else ""
        attempts = Attempts(name=username, address=address)
        attempts.require_room()
        user = _found(username)
        if is_right(password, user) and user and user.is_staff:
            remember(user, address=address)
            return user
        attempts.failed()
        return None

    def get_user(self, user_id: UUID) -> User | None:
        """Return the user of a session, unless they were deactivated since."""
        return User.objects.for_user(user_id).filter(is_active=True).first()


def _found(name: str) -> User | None:
    """Return whose name this is.

    A username may look like an e-mail address. The address comes first: whoever takes somebody's
    address as their username must not stand between them and their login. Both are looked up in
    any case: the time taken does not tell whether somebody has the address.
    """
    kinds = ("email", "username") if "@" in name else ("username",)
    found = [user_by_name(kind=kind, name=name) for kind in kinds]
    return next(filter(None, found), None)
