"""The sandbox gateway of this repository, over HTTP (src/sandbox_gateway)."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings

from shop.payments.gateways.base import GatewayRefused, Report, Standing

# These carry the charge as it stands: made, known, declined, not refundable.
WITH_CHARGE = {200, 201, 402, 409}
NOT_NOW = {408, 425, 429}


def make() -> "Sandbox":
    """Return the gateway that the settings describe."""
    return Sandbox(
        url=settings.SANDBOX_GATEWAY_URL,
        key=settings.SANDBOX_GATEWAY_KEY,
        timeout=settings.PAYMENT_GATEWAY_TIMEOUT.total_seconds(),
    )


class Sandbox:
    """A client of the sandbox; a charge is found by its own id, or by the key it was made under.

    Args:
        timeout: seconds for each step of a request: connecting, sending, waiting for the answer.
        transport: another way to the sandbox than the network.
    """

    def __init__(
        self, *, url: str, key: str, timeout: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        # The gateway is named by the operator; a proxy of the environment is not meant for it.
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, trust_env=False, transport=transport
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

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
        ids = {"user_id": str(user_id), "payment_id": str(payment_id)}
        wanted = {"amount": f"{amount:.2f}", "currency": currency, "token": token, "metadata": ids}
        return self._ask(
            "POST", "/charges", json=wanted, headers={"Idempotency-Key": str(payment_id)}
        )

    def status(self, *, payment_id: UUID, provider_ref: str) -> Report:
        return self._ask("GET", f"/charges/{provider_ref or payment_id}")

    def refund(self, *, payment_id: UUID, provider_ref: str) -> Report:
        return self._ask("POST", f"/charges/{provider_ref or payment_id}/refund")

    def ledger(self) -> dict[UUID, dict[str, Any]]:
        """Return what was charged and refunded, by payment; for `manage.py reconcile` and tests.

        Raises:
            httpx.HTTPError: the sandbox does not answer.
        """
        answer = self._http.get("/ledger").raise_for_status()
        return {UUID(line["key"]): line for line in answer.json()["charges"]}

    def _ask(self, method: str, path: str, **request: Any) -> Report:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError:
            return Report(Standing.UNKNOWN)
        if answer.status_code in WITH_CHARGE:
            return _report(answer)
        if answer.status_code == 404:
            return Report(Standing.ABSENT)
        if answer.status_code in NOT_NOW or answer.status_code >= 500:
            return Report(Standing.UNKNOWN)
        raise GatewayRefused(f"The sandbox answers {answer.status_code}: {answer.text[:200]}")


def _report(answer: httpx.Response) -> Report:
    try:
        charge = answer.json()
        return Report(Standing(charge["status"]), str(charge["id"]))
    except (ValueError, KeyError, TypeError):  # something else answers at this address
        return Report(Standing.UNKNOWN)
