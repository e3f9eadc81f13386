"""What the webhooks refuse.

UnsafeAddress (422) · EndpointGone (409)
"""

from http import HTTPStatus

from shop.core.errors import Conflict, DomainError


class UnsafeAddress(DomainError):
    """Nothing is sent there: it is not public, or not encrypted, or no address at all."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unsafe_address"


class EndpointGone(Conflict):
    """The endpoint was removed or switched off; nothing is sent to it."""

    code = "endpoint_gone"
