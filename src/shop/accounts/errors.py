"""What can go wrong with an account.

IdentityTaken, OwnAccount, AccountDeleted (409) · InvalidCredentials, InvalidToken (401) ·
FieldRefused (400) · NoLongerAdmin (403)
"""

from http import HTTPStatus

from shop.core.errors import Conflict, DomainError


class IdentityTaken(Conflict):
    """Somebody has claimed this username or e-mail address."""

    code = "already_taken"

    def __init__(self, field: str) -> None:
        super().__init__(f"This {field} is already taken.", field=field)


class OwnAccount(Conflict):
    """Admins do not demote, deactivate or delete themselves: one admin always remains."""

    code = "own_account"


class AccountDeleted(Conflict):
    """The account was deleted by its owner; there is nothing left to change."""

    code = "account_deleted"


class NoLongerAdmin(DomainError):
    """The token still says admin, the account does not."""

    status = HTTPStatus.FORBIDDEN
    code = "permission_denied"


class FieldRefused(DomainError):
    """A field is well formed, but cannot be accepted for this account; told as validation is."""

    code = "invalid"

    def __init__(self, field: str, code: str, *details: str) -> None:
        errors = [{"field": field, "code": code, "detail": detail} for detail in details]
        super().__init__("The request is not valid; `errors` says where.", errors=errors)


class _Unauthenticated(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    headers = {"WWW-Authenticate": 'Bearer realm="api"'}


class InvalidCredentials(_Unauthenticated):
    """No active account has this name and this password; which of the two is not said."""

    code = "invalid_credentials"


class InvalidToken(_Unauthenticated):
    """The refresh token is malformed, expired, revoked, or was used a while before."""

    code = "invalid_token"
