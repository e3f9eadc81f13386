"""Whether the shop that is deployed answers, through HAProxy's published port, and sells."""

from __future__ import annotations

import secrets
import ssl
import urllib.error
import urllib.request
from typing import Any

from db.remote.errors import StepFailed
from db.remote.host.compose import Compose

PORT, TLS_PORT = 8080, 8443  # HAProxy's, inside
PATHS = ("/health/ready", "/api/products/", "/api/categories/", "/api/schema/")
ROUNDS = 4  # so that each app server is asked for each
TIMEOUT = 30  # seconds


def read(compose: Compose) -> int:
    """Ask for what any visitor asks; return how many answers were good, StepFailed for a bad one.

    What is asked for twice is asked for differently: HAProxy would answer from its cache.
    """
    front = address(compose.services["haproxy"])
    # We ask ourselves, by an address: whose name is in the certificate is not the question.
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    opener = urllib.request.build_opener(*handlers)
    count = 0
    for path in PATHS * ROUNDS:
        request = urllib.request.Request(  # noqa: S310 - always HTTP
            f"{front}{path}?smoke={secrets.token_hex(4)}", headers={"Host": "haproxy"}
        )
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            raise StepFailed(f"GET {path} answers {error.code} through HAProxy.") from None
        except OSError as error:
            raise StepFailed(f"GET {path} gets no answer through HAProxy: {error}") from None
        count += 1
    return count


def address(haproxy: dict[str, Any]) -> str:
    """Return where HAProxy is reached on this host: by TLS if it has a certificate."""
    is_safe = bool((haproxy.get("environment") or {}).get("TLS_CERTIFICATE"))
    scheme, inside = ("https", TLS_PORT) if is_safe else ("http", PORT)
    for port in haproxy.get("ports", []):
        if int(port["target"]) == inside:
            host = port.get("host_ip") or "127.0.0.1"
            if host in {"0.0.0.0", "::"}:  # noqa: S104 - what is published there is here too
                host = "127.0.0.1"
            return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port['published']}"
    raise StepFailed(f"HAProxy's port {inside} is not published.")


def buy(compose: Compose) -> str:
    """Play a buyer's whole journey; return its last line."""
    lines = [line for line in compose.job("smoke").splitlines() if line.strip()]
    return lines[-1] if lines else "The journey said nothing."
