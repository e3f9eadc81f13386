"""What every payment gateway can do, in the shop's words.

Invariant: everything a gateway is asked for carries the payment's id as its key. Asked twice, it
charges once and refunds once.

GatewayError             the gateway could not do what was asked
├── GatewayUnavailable   it does not say how a payment stands; ask again later
└── GatewayRefused       it did nothing and never will: our request or our key is wrong
"""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID


class GatewayError(Exception):
    """The gateway could not do what was asked."""


class GatewayUnavailable(GatewayError):
    """It does not say how a payment stands. Ask again later."""


class GatewayRefused(GatewayError):
    """The gateway understood, did nothing, and will do nothing if it is asked again."""


class Standing(StrEnum):
    """How a payment stands at the gateway."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    REFUNDED = "refunded"
    ABSENT = "absent"  # it knows of none; soon after a charge it may only not know of it yet
    UNKNOWN = "unknown"  # it cannot say yet; the money may move at any moment


class Report(NamedTuple):
    """What a gateway says of a payment, and what it calls it; empty if it does not say."""

    standing: Standing
    provider_ref: str = ""


class Gateway(Protocol):
    """One payment gateway. Nothing here may be called inside a database transaction."""

    def charge(
        self,
        *,
        payment_id: UUID,
        user_id: UUID,
        amount: Decimal,
        currency: str,
        method: str,
        token: str,
    ) -> Report:
        """Charge a payment, once whatever happens.

        Args:
            user_id: travels along, so that the gateway's events find the user's shard.
            currency: three capital letters.
            method: as `Payment.Method` names it.
            token: what the customer's browser got from the gateway; empty: what is on file.

        Returns:
            SUCCEEDED, DECLINED, or UNKNOWN when no answer came in time.

        Raises:
            GatewayRefused: the request is wrong.
        """

    def status(self, *, payment_id: UUID, provider_ref: str) -> Report:
        """Say how a payment stands; UNKNOWN when no answer came in time.

        `shop.checkout.charging.standing_of` is who asks: it knows how soon ABSENT can be believed.

        Args:
            provider_ref: what the gateway calls it; empty if it was never heard.

        Raises:
            GatewayRefused: the request is wrong.
        """

    def refund(self, *, payment_id: UUID, provider_ref: str) -> Report:
        """Send all of a payment's money back, once whatever happens.

        Returns:
            REFUNDED when the money has moved, also when it had before; ABSENT or DECLINED when
            there is nothing to send back; UNKNOWN when it is still to move, or no answer came.

        Raises:
            GatewayRefused: the request is wrong.
        """
