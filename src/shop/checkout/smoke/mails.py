"""What the stack has sent, as its mail catcher kept it: files of `make up`, or Mailpit's HTTP API.

A reader is called again and again; it returns the raw mails that it has not returned before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

Reader = Callable[[], Iterable[bytes]]

NEWEST = 200  # mails that Mailpit is asked for at once


def kept_in(directory: Path) -> Reader:
    """Return a reader of the files of the local stack's mail catcher."""
    seen: set[Path] = set()

    def read() -> list[bytes]:
        new = [path for path in directory.glob("*.eml") if path not in seen]
        seen.update(new)
        return [path.read_bytes() for path in new]

    return read


def of_mailpit(http: httpx.Client) -> Reader:
    """Return a reader of a Mailpit, whose address is the client's base URL.

    The reader raises httpx.HTTPError when Mailpit does not answer, or not as it should.
    """
    seen: set[str] = set()

    def read() -> list[bytes]:
        listed = http.get("/api/v1/messages", params={"limit": NEWEST}).raise_for_status().json()
        new = [mail["ID"] for mail in listed["messages"] if mail["ID"] not in seen]
        seen.update(new)
        return [http.get(f"/api/v1/message/{one}/raw").raise_for_status().content for one in new]

    return read
