"""A wire between the coordinator and a worker that can be held at a word, released, or cut.

What crosses it is PostgreSQL's protocol, unencrypted: a statement is found in it as text. Only the
connection that says the word is held; the others go on.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

HOST = "127.0.0.1"
PATIENCE = 30.0  # seconds, for what comes within one


class Wire:
    """A TCP proxy in front of one port of this machine."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._word: bytes | None = None
        self._held, self._free = threading.Event(), threading.Event()
        self._cut = False
        self._door = socket.create_server((HOST, 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, word: str) -> None:
        """Stop the next connection that says this word, before the worker hears it."""
        self._word, self._cut = word.encode(), False
        self._held.clear()
        self._free.clear()

    def wait(self) -> None:
        """Wait until the word was said; TimeoutError if it is not."""
        if not self._held.wait(PATIENCE):
            raise TimeoutError(f"nobody has said {self._word!r}")

    def release(self) -> None:
        """Let the worker hear it."""
        self._word = None
        self._free.set()

    def cut(self) -> None:
        """End the connection that is held; the worker never hears the word."""
        self._cut = True
        self.release()

    def close(self) -> None:
        """End all connections, and take no new ones."""
        self.cut()
        for end in [self._door, *self._sockets]:
            _close(end)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._door.accept()
                try:
                    far = socket.create_connection((HOST, self._to), timeout=3)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._sockets += [near, far]
                for source, sink, obeys in ((near, far, True), (far, near, False)):
                    pump = threading.Thread(
                        target=self._pump, args=(source, sink, obeys), daemon=True
                    )
                    pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, obeys: bool) -> None:
        with contextlib.suppress(OSError):
            for data in _chunks(source):
                if obeys and self._word and self._word in data and self._stop():
                    break
                sink.sendall(data)
        _close(source)
        _close(sink)

    def _stop(self) -> bool:
        """Hold whoever has said the word; tell whether to cut the wire then."""
        self._held.set()
        self._free.wait()
        return self._cut


def _chunks(source: socket.socket) -> Iterator[bytes]:
    while data := source.recv(65536):
        yield data


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
