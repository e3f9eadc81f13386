"""The mail catcher keeps one file per Message-ID."""

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from db.local import mail_catcher

ROOT = Path(__file__).resolve().parents[3]


def letter(message_id: str = "<1@shop>", text: str = "Dear Ana") -> EmailMessage:
    mail = EmailMessage()
    mail["Message-ID"], mail["To"], mail["From"] = message_id, "ana@example.com", "shop@example.com"
    mail["Subject"] = "Your order – thanks"
    mail.set_content(text)
    return mail


def test_a_mail_sent_twice_is_kept_once_and_counted_twice(tmp_path: Path) -> None:
    for text in ("first", "again"):
        mail_catcher.keep(tmp_path, letter(text=text).as_bytes(), ["ana@example.com"])
    mail_catcher.keep(tmp_path, letter("<2@shop>").as_bytes(), ["ana@example.com"])
    assert len(list(tmp_path.glob("*.eml"))) == 2
    lines = (tmp_path / "deliveries.log").read_text().split("\n")
    assert lines.count("<1@shop> ana@example.com") == 2


def test_the_newest_stands_at_the_end(tmp_path: Path) -> None:
    for number in range(12):
        path = mail_catcher.keep(tmp_path, letter(f"<{number}@shop>", str(number)).as_bytes(), [])
        path.touch()
        time.sleep(0.002)
    texts = [mail.get_content().strip() for mail in mail_catcher.newest(tmp_path)]
    assert texts == [str(number) for number in range(2, 12)]


def test_a_mail_is_shown_with_recipient_subject_and_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mail = letter()
    mail.add_alternative("<p>Dear Ana</p>", subtype="html")
    mail_catcher.keep(tmp_path, mail.as_bytes(), [])
    assert mail_catcher.main(["show", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "To:      ana@example.com\nSubject: Your order – thanks\n\nDear Ana" in shown
    assert "<p>" not in shown


def test_before_the_first_mail_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mail_catcher.main(["show", str(tmp_path)])
    assert capsys.readouterr().out == "No mail has come yet.\n"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A running catcher that keeps its mail in tmp_path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    command = ["-m", "db.local.mail_catcher", "serve", f"127.0.0.1:{number}", str(tmp_path)]
    with subprocess.Popen([sys.executable, *command], cwd=ROOT) as server:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.1)
        yield number
        server.terminate()
        assert server.wait(10) == 0


def test_what_an_smtp_client_sends_is_kept(port: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(letter(text="über SMTP"))
    (kept,) = mail_catcher.newest(tmp_path)
    assert kept.get_content().strip() == "über SMTP"
