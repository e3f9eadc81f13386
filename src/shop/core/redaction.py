"""What must not stand in a log, taken out in one place, whatever way it came in.

Secrets and personal data are recognised by the name that they stand under (`password=…`,
`{"email": …}`), or by their looks (tokens, addresses, card numbers). A person's name in a free
sentence looks like any other word: nothing here finds it, so no sentence may hold one.
"""

import re
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.conf import settings

GONE = "[redacted]"

_NAMES = (
    "authori[sz]ation|cookie|passw|passphrase|secret|token|api_?key|apikey|private_?key|csrf|"
    "session|signature|credential|e_?mail|recipient|first_?name|last_?name|full_?name|surname|"
    "username|user_name|phone|(?<![a-z])card(?![a-z])|card_?(?:no|number|holder)|iban|cvc|cvv|street|postcode|zip_?code|birth|remote_addr|"
    "forwarded_for"
)
SECRET_NAME = re.compile(rf"(?i){_NAMES}")
# Names under which a person's id stands: kept as a digest, by which lines can be told together.
PERSON_NAMES = frozenset({"user_id", "owner_id", "customer_id", "staff_id", "admin_id"})

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_ECHOED = re.compile(r"(?m)^(?:LINE \d+|CONTEXT|STATEMENT|QUERY): .*$")


def _without_literals(match: re.Match[str]) -> str:
    return _LITERAL.sub(f"'{GONE}'", match[0])


def _card(match: re.Match[str]) -> str:
    return GONE if _has_check_digit(match[0]) else match[0]


# In this order: a header's whole value goes before its words are looked at.
_RULES: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"(?i)\b((?:set-)?cookie\b['\"]?\s*[:=]\s*)[^\r\n]+"), rf"\1{GONE}"),
    (re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{4,}"), rf"\1 {GONE}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), GONE),  # a JSON web token
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{GONE}@"),
    (re.compile(r"[\w.%+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), GONE),  # an e-mail address
    (re.compile(r"\b(?:tok|sk|pk|rk|whsec|pm|src)_\w{3,}"), GONE),  # as payment providers name them
    (re.compile(r"\$?\b(?:argon2\w*|pbkdf2_\w+|bcrypt\w*|scrypt|md5)\$\S+"), GONE),
    # What PostgreSQL quotes of a row, of a value, of the statement.
    (re.compile(r"(Key \([^)]*\)=)\(.*?\)(?= |$|\.)", re.MULTILINE), rf"\1({GONE})"),
    (re.compile(r"(Failing row contains )\(.*\)"), rf"\1({GONE})"),
    (re.compile(r"(invalid (?:input|byte)[^:\n]*: )\"[^\"]*\""), rf'\1"{GONE}"'),
    (re.compile(r"(value )\"[^\"]*\"( is out of range)"), rf'\1"{GONE}"\2'),
    (_ECHOED, _without_literals),
    # name=value, 'name': 'value', "name": "value", Name: value
    (
        re.compile(
            rf"(?i)([\w-]*(?:{_NAMES})[\w-]*['\"]?\s*(?:=|:|=>)\s*)"
            r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&'\")}\]]+)"
        ),
        rf"\1{GONE}",
    ),
    (_CARD, _card),
)


def redact(value: Any, name: str = "") -> Any:
    """Return a value without what must not be logged; containers are gone through.

    Args:
        name: what the value stands under.
    """
    if name and SECRET_NAME.search(name):
        return GONE if value not in (None, "") else value
    if name in PERSON_NAMES and value:
        return person(value)
    if isinstance(value, Mapping):
        return {str(key): redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner) for inner in value]
    return _redact_one(value)


def _redact_one(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return GONE if redact_text(str(value)) == GONE else value
    return redact_text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def redact_text(text: str) -> str:
    """Return a text without what looks like a secret, or stands behind the name of one."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def person(user_id: UUID | str) -> str:
    """Return a digest of a user's id, the same in every line: who has the key can compare."""
    digest = blake2b(str(user_id).encode(), digest_size=8, key=_key(settings.SECRET_KEY))
    return f"u{digest.hexdigest()}"  # with a letter in front, no digest looks like a card's number


@cache
def _key(secret: str) -> bytes:
    return blake2b(b"shop.core.redaction:" + secret.encode(), digest_size=32).digest()


def _has_check_digit(number: str) -> bool:
    """Tell whether the last digit is the one that cards end in (Luhn, ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
