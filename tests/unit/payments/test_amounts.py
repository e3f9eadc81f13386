"""What amounts are for Stripe, as https://docs.stripe.com/currencies has them."""

from decimal import Decimal

import pytest

from shop.payments.amounts import DECIMALS, ISO_4217, STRIPE_LEAST, limits, stripe_units

ZERO_DECIMAL = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
THREE_DECIMAL = "BHD JOD KWD OMR TND"
# Written with two decimals that have to be 0, or charged with two though paid out without.
SPECIAL = {"UGX": 500, "ISK": 500, "HUF": 500, "TWD": 500}


def test_every_currency_has_one_number_of_decimals() -> None:
    assert len(DECIMALS) == sum(len(codes.split()) for codes in ISO_4217.values()) == 165
    assert STRIPE_LEAST.keys() <= DECIMALS.keys()


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("12.30", "EUR", 1230),
        ("0.01", "USD", 1),
        ("18.60", "KWD", 18600),
        ("5.00", "UGX", 500),
        ("600.00", "UGX", 60000),
        ("40.00", "ISK", 4000),
        ("10.45", "HUF", 1045),
        ("800.45", "TWD", 80045),
        *[("5.00", code, 5) for code in ZERO_DECIMAL.split()],
        *[("5.12", code, 5120) for code in THREE_DECIMAL.split()],
        *[("5.00", code, units) for code, units in SPECIAL.items()],
    ],
)
def test_an_amount_is_sent_in_the_smallest_units(amount: str, currency: str, units: int) -> None:
    assert stripe_units(Decimal(amount), currency) == units


@pytest.mark.parametrize(
    ("amount", "currency"), [("5.50", "JPY"), ("5.50", "UGX"), ("40.10", "ISK"), ("1.005", "KWD")]
)
def test_an_amount_that_cannot_be_written_is_no_other_one(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=currency):
        stripe_units(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("gateway", "currency", "least", "step"),
    [
        ("stripe", "EUR", "0.50", "0.01"),
        ("stripe", "GBP", "0.30", "0.01"),
        ("stripe", "HUF", "175.00", "0.01"),
        ("stripe", "JPY", "50", "1"),
        ("stripe", "UGX", "1", "1"),  # nothing is said of it but that it has no fractions
        ("stripe", "KWD", "0.01", "0.01"),
        ("sandbox", "JPY", "0.01", "0.01"),
    ],
)
def test_what_a_gateway_takes(gateway: str, currency: str, least: str, step: str) -> None:
    assert limits(gateway, currency) == (Decimal(least), Decimal(step))
