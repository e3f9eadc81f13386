"""What a payment, or a message of the payment gateway, is refused for.

InvalidSignature (401) · SignatureExpired (400) · AmountNotPayable (409)
"""

from http import HTTPStatus

from shop.core.errors import Conflict, DomainError


class AmountNotPayable(Conflict):
    """The payment method takes no such amount; `minimum` is the least, `step` what it counts in."""

    code = "amount_not_payable"


class InvalidSignature(DomainError):
    """Nobody who knows our secret has signed this body."""

    status = HTTPStatus.UNAUTHORIZED
    code = "invalid_signature"
    headers = {"WWW-Authenticate": "Webhook-Signature"}


class SignatureExpired(DomainError):
    """It was signed too long ago, or by a clock that is wrong; sign it again and send it."""

    code = "signature_expired"
