"""Stripe, through its official SDK and PaymentIntents.

Stripe keeps an idempotency key for 24 hours; asked again within that time it repeats its answer,
whatever it was. What became of a payment is read by the intent's id. Where the answer that told it
was lost, it is searched for by the payment's id in the metadata; the search lags a minute behind,
and longer when something is wrong there: a payment that it misses may exist.
https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/search#data-freshness
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

import stripe
from django.conf import settings

from shop.payments.amounts import stripe_units
from shop.payments.gateways.base import GatewayRefused, Report, Standing

# What the customer's token can be wrong in; nothing was charged, another token may do.
OF_THE_TOKEN = frozenset({"payment_method", "payment_method_data"})
# Nor was anything charged here; another method may do.
OF_THE_AMOUNT = frozenset({"amount_too_small", "amount_too_large"})
STANDINGS = {
    "succeeded": Standing.SUCCEEDED,
    "canceled": Standing.DECLINED,
    "requires_payment_method": Standing.DECLINED,  # where a declined card leaves it
    "requires_confirmation": Standing.ABSENT,
}
# A refund that is in none of these is still to move, or has not worked.
# https://docs.stripe.com/api/refunds/object#refund_object-status
REFUNDS = {
    "succeeded": Standing.REFUNDED,
    "pending": Standing.UNKNOWN,
    "requires_action": Standing.UNKNOWN,
}


def make() -> "Stripe":
    """Return the gateway that the settings describe."""
    return Stripe(
        api_key=settings.STRIPE_API_KEY,
        api_base=settings.STRIPE_API_BASE,
        timeout=settings.PAYMENT_GATEWAY_TIMEOUT.total_seconds(),
    )


class Stripe:
    """A client of Stripe.

    Args:
        api_base: an address without a slash at its end; a stand-in serves as well.
        timeout: seconds for connecting, and for the answer.
    """

    def __init__(self, *, api_key: str, api_base: str, timeout: float) -> None:
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            http_client=stripe.RequestsClient(timeout=timeout),
            max_network_retries=0,  # after a timeout the status is asked for first
        )

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
        if not token:
            return Report(Standing.DECLINED)  # Stripe has nothing on file for our customers
        try:
            intent = self._client.v1.payment_intents.create(
                {
                    "amount": _units(amount, currency),
                    "currency": currency.lower(),
                    "payment_method": token,
                    "confirm": True,
                    # Nobody is there to answer a bank's question: such a charge is declined.
                    "error_on_requires_action": True,
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    "metadata": {"payment_id": str(payment_id), "user_id": str(user_id)},
                },
                {"idempotency_key": str(payment_id)},
            )
        except stripe.CardError:
            return Report(Standing.DECLINED)
        except stripe.InvalidRequestError as error:
            if error.param in OF_THE_TOKEN or error.code in OF_THE_AMOUNT:
                return Report(Standing.DECLINED)
            raise _refused(error) from error
        except stripe.StripeError as error:
            return _unknown(error)
        return Report(STANDINGS.get(intent.status, Standing.UNKNOWN), intent.id)

    def status(self, *, payment_id: UUID, provider_ref: str) -> Report:
        try:
            return _report(self._find(payment_id, provider_ref))
        except stripe.StripeError as error:
            return _unknown(error)

    def refund(self, *, payment_id: UUID, provider_ref: str) -> Report:
        try:
            report = _report(self._find(payment_id, provider_ref))
            if report.standing != Standing.SUCCEEDED:
                return report
            made = self._client.v1.refunds.create(
                {"payment_intent": report.provider_ref},
                {"idempotency_key": f"refund-{payment_id}"},
            )
        except stripe.InvalidRequestError as error:
            if error.code == "charge_already_refunded":
                return Report(Standing.REFUNDED, provider_ref)
            raise _refused(error) from error
        except stripe.StripeError as error:
            return _unknown(error)
        return report._replace(standing=_refund_standing(made))

    def _find(self, payment_id: UUID, provider_ref: str) -> stripe.PaymentIntent | None:
        if provider_ref:
            return self._client.v1.payment_intents.retrieve(
                provider_ref, {"expand": ["latest_charge.refunds"]}
            )
        found = self._client.v1.payment_intents.search(
            {
                "query": f"metadata['payment_id']:'{payment_id}'",
                "expand": ["data.latest_charge.refunds"],
                "limit": 1,
            }
        )
        return found.data[0] if found.data else None


def _units(amount: Decimal, currency: str) -> int:
    try:
        return stripe_units(amount, currency)
    except ValueError as error:
        raise GatewayRefused(str(error)) from error


def _report(intent: stripe.PaymentIntent | None) -> Report:
    if intent is None:
        return Report(Standing.ABSENT)
    charge: Any = intent.latest_charge
    if intent.status == "succeeded" and getattr(charge, "refunded", False):
        return Report(_refunded(charge), intent.id)
    return Report(STANDINGS.get(intent.status, Standing.UNKNOWN), intent.id)


def _refunded(charge: Any) -> Standing:
    """Return REFUNDED if the money has moved; Stripe says `refunded` as soon as it is to."""
    refunds = charge.refunds.data if getattr(charge, "refunds", None) else []
    moving = any(REFUNDS.get(one.status) == Standing.UNKNOWN for one in refunds)
    return Standing.UNKNOWN if moving else Standing.REFUNDED


def _refund_standing(refund: stripe.Refund) -> Standing:
    """Return how a refund stands.

    Raises:
        GatewayRefused: it has failed; the money is with us again.
    """
    if standing := REFUNDS.get(refund.status or ""):
        return standing
    raise GatewayRefused(f"Stripe's refund {refund.id} is {refund.status}.")


def _unknown(error: stripe.StripeError) -> Report:
    """Return UNKNOWN for an error that says nothing of the payment, raise for one that does."""
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        raise _refused(error) from error
    if isinstance(error, stripe.InvalidRequestError | stripe.IdempotencyError):
        raise _refused(error) from error
    return Report(Standing.UNKNOWN)


def _refused(error: stripe.StripeError) -> GatewayRefused:
    return GatewayRefused(f"Stripe refuses: {error.user_message or type(error).__name__}")
