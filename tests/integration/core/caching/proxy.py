"""A proxy in front of Redis that can be told to be slow, or to drop its connections."""

import contextlib
import socket
import threading
import time
from typing import Self
from urllib.parse import urlsplit


class SlowProxy:
    """Hands bytes on, what Redis answers only after `delay` seconds."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.delay = 0.0
        self._target = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        port = self._server.getsockname()[1]
        login = "".join(parts.netloc.rpartition("@")[:2])
        self.url = parts._replace(netloc=f"{login}127.0.0.1:{port}").geturl()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        """Hang up on everybody."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                redis = socket.create_connection(self._target)
                self._open += [client, redis]
                for source, sink, slow in ((client, redis, False), (redis, client, True)):
                    threading.Thread(
                        target=self._pump, args=(source, sink, slow), daemon=True
                    ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if slow:
                    time.sleep(self.delay)
                sink.sendall(chunk)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.close()
