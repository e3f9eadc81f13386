"""What a message of the payment gateway is refused for.

InvalidSignature (401) · SignatureExpired (400)
"""

from http import HTTPStatus

from shop.core.errors import DomainError


class InvalidSignature(DomainError):
    """Nobody who knows our secret has signed this body."""

    status = HTTPStatus.UNAUTHORIZED
    code = "invalid_signature"
    headers = {"WWW-Authenticate": "Webhook-Signature"}


class SignatureExpired(DomainError):
    """It was signed too long ago, or by a clock that is wrong; sign it again and send it."""

    code = "signature_expired"
