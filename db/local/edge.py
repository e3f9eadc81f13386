"""What can be chosen about HAProxy, the edge of the stack; remembered as the rest is.

The defaults are as wide as one machine that loads itself needs. docs/load_balancing.md says what
suits the public.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from db.local.errors import InvalidVariable
from db.local.variable import Variable

NUMBERS = (
    Variable(name="RATE_LIMIT", default=1_000_000, lowest=1, highest=100_000_000),
    Variable(name="CONNECTION_LIMIT", default=4000, lowest=1, highest=100_000),
    Variable(name="QUEUE_LIMIT", default=512, lowest=1, highest=100_000),
)
BALANCES = re.compile(r"leastconn|roundrobin|random(\([1-9]\))?")


@dataclass(frozen=True, kw_only=True)
class Edge:
    """HAProxy's variables, as haproxy.cfg explains them; no certificate means plain HTTP."""

    rate_limit: int = 1_000_000
    connection_limit: int = 4000
    queue_limit: int = 512
    balance: str = "leastconn"
    log_requests: str = "off"
    tls_certificate: str = ""


def choose(environ: Mapping[str, str], *, before: Edge | None) -> Edge:
    """Return checked values: a variable wins over what is remembered, that over the default.

    `TLS_CERTIFICATE=` with nothing behind it turns TLS off again.
    """
    values: dict[str, Any] = {
        field.name: getattr(before or Edge(), field.name) for field in fields(Edge)
    }
    for variable in NUMBERS:
        if text := environ.get(variable.name, ""):
            values[variable.field] = variable.parse(text)
    values["balance"] = environ.get("BALANCE") or values["balance"]
    values["log_requests"] = environ.get("LOG_REQUESTS") or values["log_requests"]
    if (certificate := environ.get("TLS_CERTIFICATE")) is not None:
        values["tls_certificate"] = str(Path(certificate).absolute()) if certificate else ""
    edge = Edge(**values)
    _check(edge)
    return edge


def _check(edge: Edge) -> None:
    if not BALANCES.fullmatch(edge.balance):
        raise InvalidVariable(
            f"BALANCE={edge.balance} is unknown: choose leastconn, random(2) or roundrobin."
        )
    if edge.log_requests not in {"on", "off"}:
        raise InvalidVariable(f"LOG_REQUESTS={edge.log_requests} is unknown: choose on or off.")
    if edge.tls_certificate:
        _check_certificate(edge.tls_certificate)


def _check_certificate(path: str) -> None:
    def no_password() -> str:
        raise InvalidVariable(
            f"TLS_CERTIFICATE={path}: its key has a password, which HAProxy could not ask for."
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=no_password)
    except FileNotFoundError:
        raise InvalidVariable(f"TLS_CERTIFICATE={path}: there is no such file.") from None
    except (OSError, ssl.SSLError) as error:
        raise InvalidVariable(
            f"TLS_CERTIFICATE={path} cannot be used ({error}): it has to be one PEM file with the"
            " certificate, its chain and its key."
        ) from None
