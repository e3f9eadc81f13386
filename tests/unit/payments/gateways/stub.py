"""An HTTP server that answers what a test has prepared, and remembers what it was asked."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Stub:
    """Answers each request with the next of `answers`: a status, a body, seconds to wait."""

    url: str = ""
    answers: list[tuple[int, str, float]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def will(self, status: int, body: str = "{}", *, after: float = 0.0) -> None:
        self.answers.append((status, body, after))


@contextmanager
def serving() -> Iterator[Stub]:
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            stub.requests.append(Request(self.command, self.path, headers, body))
            status, text, wait = stub.answers.pop(0)
            time.sleep(wait)
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())
            except OSError:
                pass  # the client has gone, as it should

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield stub
        server.shutdown()
