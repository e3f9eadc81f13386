"""Who a request comes from, read from its access token without a query.

A token that is not good closes nothing that is open without one: a client that sends its expired
token along can still renew it, and read the catalog. There it counts as no token at all.
"""

from dataclasses import dataclass
from uuid import UUID

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.selectors import active_user
from shop.core.permissions import is_open
from shop.core.roles import Role


@dataclass(frozen=True)
class Principal:
    """The caller, as the access token names them."""

    id: UUID
    role: str
    is_authenticated: bool = True

    def live_role(self) -> str:
        """Return the role that the account has now; raise AccountClosed if it has ended."""
        return active_user(self.id).role


class Anonymous:
    """A caller without a token."""

    id = None
    role = None
    is_authenticated = False


class BearerToken(BaseAuthentication):
    """``Authorization: Bearer <access token>``."""

    def authenticate(self, request: Request) -> tuple[Principal, AccessToken] | None:
        scheme, _, raw = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            token = AccessToken(raw.strip())  # type: ignore[arg-type]
            return Principal(id=UUID(token["sub"]), role=Role(token["role"])), token
        except (TokenError, KeyError, ValueError, TypeError, AttributeError):
            if _is_open(request):
                return None
            message = "The access token is malformed or has expired."
            raise AuthenticationFailed(message, "invalid_token") from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _is_open(request: Request) -> bool:
    view = (getattr(request, "parser_context", None) or {}).get("view")
    return view is not None and is_open(view, request.method)
