"""What somebody may try to get into the log, by every way there is."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db.utils import IntegrityError

from shop.core.redaction import GONE, person, redact, redact_text

ANA = UUID("0191a0b0-0000-7000-8000-00000000000a")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl-_x"
CARD = "4111 1111 1111 1111"
# Everything that must not be found in any line, in whatever form.
SECRETS = (
    "hunter2",
    "ana@example.com",
    "ana%40example.com",
    JWT,
    "tok_success",
    "sk_live_51Habc",
    CARD,
    "4111111111111111",
    "Anastasia",
    "argon2id$v=19",
    "staff_session_value",
)


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with the handler of the settings, and what it has written."""
    written = io.StringIO()
    configuration = deepcopy(settings.LOGGING)
    configuration["handlers"]["stderr"]["stream"] = written
    handlers = logging.root.handlers[:]
    logging.config.dictConfig(configuration)
    yield logging.getLogger("tests.redaction"), written
    logging.root.handlers[:] = handlers


def fields_of(written: io.StringIO) -> dict[str, Any]:
    text = written.getvalue()
    (line,) = text.splitlines()  # one line, whatever is in it
    for secret in SECRETS:
        assert secret not in text
        assert secret not in json.loads(line).values()
    fields: dict[str, Any] = json.loads(line)
    return fields


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "password: hunter2",
        "PASSWORD = 'hunter2'",
        '{"password": "hunter2", "b": 1}',
        "{'new_password': 'hunter2', 'x': 2}",
        "?password=hunter2&x=1",
        "wrong passphrase=hunter2;",
        f"Authorization: Bearer {JWT}",
        f"authorization=bearer {JWT}",
        "Authorization: Basic aHVudGVyMjpodW50ZXIy hunter",
        f"a token {JWT} in a sentence",
        "Cookie: staff_session=staff_session_value; csrftoken=hunter2",
        "Cookie: theme=staff_session_value; lang=hunter2",
        "sent with bearer hunter2-is-opaque",
        "amqp://shop:hunter2@localhost:5672//",
        "Set-Cookie: staff_session=staff_session_value; Path=/",
        "{'cookie': 'staff_session=staff_session_value; a=hunter2'}",
        "mail to ana@example.com was refused",
        "RCPT TO:<ana@example.com>",
        "GET /api/users/?email=ana%40example.com",
        "paid with tok_success",
        "key sk_live_51Habc is expired",
        f"card {CARD}.",
        "card 4111111111111111 expired",
        "card 4111-1111-1111-1111",
        "{'first_name': 'Anastasia', 'last_name': 'Anastasia'}",
        "first_name=Anastasia",
        '"username": "Anastasia"',
        "hash argon2id$v=19$m=65536,t=3$c2FsdA$aGFzaA",
        "postgresql://shop:hunter2@127.0.0.1:6500/shardmart",
        "redis://:hunter2@127.0.0.1/0",
    ],
)
def test_a_secret_in_a_message_is_taken_out(
    log: tuple[logging.Logger, io.StringIO], text: str
) -> None:
    logger, written = log
    logger.warning(text)
    fields = fields_of(written)
    assert GONE in fields["message"]


def test_a_secret_among_the_arguments_is_taken_out(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    logger.warning("%s %s", {"password": "hunter2"}, ["ana@example.com", {"token": "hunter2"}])
    fields_of(written)


@pytest.mark.parametrize(
    "extra",
    [
        {"password": "hunter2"},
        {"payment_token": "hunter2"},
        {"headers": {"Authorization": "hunter2", "Cookie": "hunter2", "X-Csrftoken": "hunter2"}},
        {"body": b'{"password": "hunter2"}'},
        {"deep": [{"er": ({"email": "ana@example.com"}, ["tok_success"])}]},
        {"number": 4111111111111111},
        {"first_name": "Anastasia"},
        {"user": "ana@example.com"},
        {"route": "/api/?email=ana@example.com"},
        {"task": "tok_success"},
        {"nested": {"card_number": 4111111111111111, "cvc": 123}},
        {"error": ValueError("password=hunter2")},
    ],
    ids=str,
)
def test_a_secret_that_comes_as_extra_is_taken_out(
    log: tuple[logging.Logger, io.StringIO], extra: dict[str, Any]
) -> None:
    logger, written = log
    logger.warning("something", extra=extra)
    assert "hunter2" not in json.dumps(fields_of(written))


@pytest.mark.parametrize(
    "text",
    [
        "duplicate key\nDETAIL:  Key (value)=(email:ana@example.com) already exists.",
        "duplicate key\nDETAIL:  Key (kind, value)=(1, Anastasia) already exists.\n",
        "null value\nDETAIL:  Failing row contains (1, Anastasia, hunter2, 4111111111111111).",
        "invalid input syntax for type uuid: \"hunter2\"\nLINE 1: SELECT 'hunter2'",
        "syntax error at or near\nLINE 1: ...INTO users VALUES ('it''s Anastasia', 'hunter2') W",
        "canceling statement\nCONTEXT:  unnamed portal with parameters: $1 = 'hunter2'",
        'value "4111111111111111" is out of range for type integer',
        'value "99999Anastasia" is out of range for type bigint',
    ],
)
def test_what_postgresql_quotes_of_rows_and_parameters_is_taken_out(
    log: tuple[logging.Logger, io.StringIO], text: str
) -> None:
    logger, written = log
    try:
        raise IntegrityError(text)
    except IntegrityError:
        logger.exception("the database refused it")
    fields = fields_of(written)
    assert "IntegrityError" in fields["exc_info"]
    assert "Traceback" in fields["exc_info"]


def test_a_secret_in_a_chained_exception_is_taken_out(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    try:
        try:
            raise ValueError("token=hunter2")
        except ValueError as error:
            raise RuntimeError(f"Authorization: Bearer {JWT}") from error
    except RuntimeError:
        logger.exception("it failed for %s", "ana@example.com", stack_info=True)
    fields_of(written)


def test_a_line_break_cannot_make_a_second_line(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    logger.warning('x\n{"level": "INFO", "message": "forged"}\r\n')
    assert fields_of(written)["logger"] == "tests.redaction"


@pytest.mark.parametrize(
    "harmless",
    [
        "the broker does not take tasks; the sweep will",
        "order 0191a0b0-0000-7000-8000-00000000000a cannot be cancelled",
        "worker@local is ready",
        "GET /api/products/17/ took 12.5 ms",
        "at 2026-11-22T15:04:05.678Z, 1763823845678901 ns",
        "purged 1000 rows of core.IdempotencyKey",
    ],
)
def test_what_is_harmless_stays_readable(harmless: str) -> None:
    assert redact_text(harmless) == harmless


def test_values_keep_their_types() -> None:
    value = {"rows": 3, "seconds": 0.5, "ok": True, "none": None, "list": [1, "two"]}
    assert redact(value) == value


def test_a_person_is_named_by_a_digest_that_needs_the_key(settings: Any) -> None:
    assert redact(ANA, "user_id") == person(ANA) == person(str(ANA))
    before = person(ANA)
    settings.SECRET_KEY = "another key"
    assert person(ANA) != before
