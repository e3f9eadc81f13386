"""The payment gateways, and which of them is in use."""

from functools import cache
from importlib import import_module

from django.conf import settings

from shop.payments.gateways.base import Gateway


def current() -> Gateway:
    """Return the gateway that settings.PAYMENT_GATEWAY names; it keeps its connections."""
    return _made(settings.PAYMENT_GATEWAY)


@cache
def _made(name: str) -> Gateway:
    # Only the one in use is imported: the SDK of another costs every process its memory.
    gateway: Gateway = import_module(f"shop.payments.gateways.{name}").make()
    return gateway
