"""How payment providers write amounts of money, and which they take.

Decimals are those of ISO 4217, List One as published on 2026-01-01
(https://www.six-group.com/en/products-services/financial-information/market-reference-data/data-standards.html).
Stripe's own are from https://docs.stripe.com/currencies (zero-decimal, three-decimal, special
cases, minimum charge amounts); those that depend on the account's bank are for an account in the
same currency.
"""

from decimal import Decimal
from typing import NamedTuple

ISO_4217 = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL "
    "GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
    "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD "
    "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC "
    "SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR "
    "ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DECIMALS = {code: decimals for decimals, codes in ISO_4217.items() for code in codes.split()}

# The ariary's fifths are not used. UGX and ISK once had hundredths, and are still written so. HUF
# and TWD are without them in payouts alone; they are charged as ISO 4217 has them.
STRIPE_DECIMALS = DECIMALS | {"MGA": 0, "UGX": 2, "ISK": 2}
# Of these the last digits have to be 0.
STRIPE_MULTIPLES = {"UGX": 100, "ISK": 100} | dict.fromkeys(ISO_4217[3].split(), 10)
LEAST = {
    "0.30": "GBP",
    "0.50": "ARS AUD BRL CAD CHF COP EUR IDR ILS INR NZD PHP RUB SGD USD ZAR",
    "2.00": "AED MYR PLN RON",
    "2.50": "DKK",
    "3.00": "NOK SEK",
    "4.00": "HKD",
    "10.00": "MXN THB",
    "15.00": "CZK",
    "50": "JPY KRW",
    "175.00": "HUF",
}
STRIPE_LEAST = {code: Decimal(least) for least, codes in LEAST.items() for code in codes.split()}


class Limits(NamedTuple):
    """The least amount that is taken, and what every amount has to be a multiple of."""

    least: Decimal
    step: Decimal


def limits(gateway: str, currency: str) -> Limits:
    """Return which amounts of a currency a gateway takes; the sandbox takes any."""
    if gateway != "stripe":
        return Limits(Decimal("0.01"), Decimal("0.01"))
    step = Decimal(STRIPE_MULTIPLES.get(currency, 1)).scaleb(-STRIPE_DECIMALS[currency])
    return Limits(max(step, STRIPE_LEAST.get(currency, step)), step)


def stripe_units(amount: Decimal, currency: str) -> int:
    """Return an amount as Stripe takes it: a whole number of the currency's smallest unit.

    Raises:
        ValueError: there is none; another amount must not be charged instead.
    """
    if amount % limits("stripe", currency).step:
        raise ValueError(f"Stripe takes no {amount} {currency}.")
    return int(amount.scaleb(STRIPE_DECIMALS[currency]))
