"""What registration and login can fail with.

IdentityTaken (409) · InvalidCredentials, InvalidToken (401)
"""

from http import HTTPStatus

from shop.core.errors import Conflict, DomainError


class IdentityTaken(Conflict):
    """Somebody has claimed this username or e-mail address."""

    code = "already_taken"

    def __init__(self, field: str) -> None:
        super().__init__(f"This {field} is already taken.", field=field)


class _Unauthenticated(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    headers = {"WWW-Authenticate": 'Bearer realm="api"'}


class InvalidCredentials(_Unauthenticated):
    """No active account has this name and this password; which of the two is not said."""

    code = "invalid_credentials"


class InvalidToken(_Unauthenticated):
    """The refresh token is malformed, expired, revoked, or was used before."""

    code = "invalid_token"
