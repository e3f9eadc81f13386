"""A gateway in this process: it charges, refunds, and fails as it is told."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from django.db import connection

from shop.payments.gateways.base import GatewayRefused, Report, Standing


class FakeGateway:
    """Keeps what it charged; `answers` is what it says instead of what it did, then the truth.

    Nothing may call it inside a transaction of its own.
    """

    def __init__(self) -> None:
        self.charged: dict[UUID, int] = {}
        self.standings: dict[UUID, Standing] = {}
        self.calls: list[str] = []
        self.answers: list[Standing | Exception] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.meanwhile_asked: Callable[[], None] = lambda: None
        self.asked_by: list[str] = []
        self.depth = len(connection.savepoint_ids)

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
        self._called("charge")
        if payment_id not in self.standings:
            declined = token == "tok_declined"
            self.charged[payment_id] = self.charged.get(payment_id, 0) + (not declined)
            outcome = Standing.DECLINED if declined else Standing.SUCCEEDED
            self.standings[payment_id] = outcome
        self.meanwhile()
        return self._say(payment_id)

    def status(self, *, payment_id: UUID, provider_ref: str) -> Report:
        self._called("status")
        self.asked_by.append(provider_ref)
        self.meanwhile_asked()
        return self._say(payment_id)

    def refund(self, *, payment_id: UUID, provider_ref: str) -> Report:
        self._called("refund")
        self.asked_by.append(provider_ref)
        if self.standings.get(payment_id) == Standing.SUCCEEDED:
            self.standings[payment_id] = Standing.REFUNDED
        return self._say(payment_id)

    def _called(self, name: str) -> None:
        assert len(connection.savepoint_ids) == self.depth, "called inside a transaction"
        self.calls.append(name)

    def _say(self, payment_id: UUID) -> Report:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer:
            return Report(answer)
        if payment_id not in self.standings:
            return Report(Standing.ABSENT)
        return Report(self.standings[payment_id], f"pi_{payment_id}")


REFUSED = GatewayRefused("the key is wrong")
