"""The mail server of the local stack: takes every mail, delivers none, keeps each as a file.

Invariant: one file per Message-ID, as a mail store has one mail per Message-ID. A mail that is sent
twice is kept once; how often it came is appended to `deliveries.log`, so that tests can count.

    python -m db.local.mail_catcher serve 127.0.0.1:8025 DIRECTORY
    python -m db.local.mail_catcher show DIRECTORY
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import hashlib
import os
import signal
import sys
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_BYTES = 1024 * 1024
NEWEST = 10  # mails that `make mail` prints


class Keeper:
    """What aiosmtpd calls with each mail."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail, and only then say so."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        keep(self.directory, content, envelope.rcpt_tos)
        return "250 OK: kept"


def keep(directory: Path, content: bytes, recipients: Sequence[str]) -> Path:
    """Write a mail into its file, whole or not at all; return where."""
    mail = _parsed(content)
    message_id = str(mail["Message-ID"] or "").strip() or hashlib.sha256(content).hexdigest()
    path = directory / f"{hashlib.sha256(message_id.encode()).hexdigest()[:32]}.eml"
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}.new")
        draft.write_bytes(content)
        draft.replace(path)
    with (directory / "deliveries.log").open("a") as log:
        log.write(f"{message_id} {','.join(recipients)}\n")
    return path


def newest(directory: Path, count: int = NEWEST) -> list[EmailMessage]:
    """Return the mails that came last, the newest at the end."""
    files = sorted(directory.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [_parsed(path.read_bytes()) for path in files[-count:]]


def readable(mail: EmailMessage) -> str:
    """Return subject, recipient and text of a mail."""
    body = mail.get_body(("plain", "html"))
    text = str(body.get_content()).strip() if body else ""
    return "\n".join(
        [
            f"Date:    {mail['Date']}",
            f"To:      {mail['To']}",
            f"Subject: {mail['Subject']}",
            "",
            text,
        ]
    )


def _parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, EmailMessage, policy=email.policy.default)


async def serve(host: str, port: int, directory: Path) -> None:
    """Take mails until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    keeper = Keeper(directory)

    def session() -> Any:
        return SMTP(keeper, data_size_limit=MAX_BYTES, hostname="shardmart", loop=loop)

    server = await loop.create_server(session, host, port)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with server:
        await ended.wait()


def main(arguments: Sequence[str]) -> int:
    """Serve, or show what was kept."""
    if len(arguments) == 3 and arguments[0] == "serve":
        host, _, port = arguments[1].rpartition(":")
        asyncio.run(serve(host, int(port), Path(arguments[2])))
        return 0
    if len(arguments) == 2 and arguments[0] == "show":
        mails = newest(Path(arguments[1]))
        print(f"\n\n{'─' * 72}\n".join(map(readable, mails)) or "No mail has come yet.")
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
