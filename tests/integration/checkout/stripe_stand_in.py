"""A server that plays Stripe: it charges and refunds, its search lags, and answers get lost."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class StandIn:
    """What it was asked for: intents and refunds by idempotency key, and how often it searched."""

    url: str = ""
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    searches: int = 0
    search_lags: bool = True
    loses_answers: bool = False

    def post(self, path: str, key: str, body: dict[str, list[str]]) -> dict[str, Any]:
        if path == "/v1/refunds":
            charge = self.intent(body["payment_intent"][0])["latest_charge"]
            charge["refunded"] = True
            refund = {"id": f"re_{len(self.refunds)}", "object": "refund", "status": "succeeded"}
            return self.refunds.setdefault(key, refund)
        number = len(self.intents)
        charge = {"id": f"ch_{number}", "object": "charge", "refunded": False}
        intent = {"id": f"pi_{number}", "object": "payment_intent", "status": "succeeded"}
        return self.intents.setdefault(key, intent | {"latest_charge": charge})

    def get(self, path: str) -> dict[str, Any]:
        if not path.endswith("/search"):
            return self.intent(path.rpartition("/")[2])
        self.searches += 1
        found = [] if self.search_lags else list(self.intents.values())
        return {"object": "search_result", "data": found, "has_more": False}

    def intent(self, intent_id: str) -> dict[str, Any]:
        return next(intent for intent in self.intents.values() if intent["id"] == intent_id)


@contextmanager
def serving() -> Iterator[StandIn]:
    """Serve for as long as the context lasts."""
    stripe = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(stripe.post(self.path, self.headers["Idempotency-Key"], body))

        def do_GET(self) -> None:
            self._answer(stripe.get(urlsplit(self.path).path))

        def _answer(self, content: dict[str, Any]) -> None:
            if stripe.loses_answers and self.command == "POST":
                self.close_connection = True
                return
            text = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stripe.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield stripe
        server.shutdown()
