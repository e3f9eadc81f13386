"""What a worker does beside its tasks."""

from pathlib import Path

import pytest
from celery.signals import after_task_publish, heartbeat_sent

from shop.config import celery


def test_a_heartbeat_touches_the_file_that_the_health_check_looks_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "heartbeat"
    monkeypatch.setenv("HEARTBEAT_FILE", str(file))
    heartbeat_sent.send(sender=None)
    assert file.exists()


def test_without_a_file_a_heartbeat_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEARTBEAT_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    heartbeat_sent.send(sender=None)
    assert list(tmp_path.iterdir()) == []


def test_what_beat_sends_touches_a_file_and_what_others_send_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(celery.app.conf, "beat_schedule_filename", str(tmp_path / "schedule"))
    after_task_publish.send(sender="core.sweep_outbox")
    assert list(tmp_path.iterdir()) == []
    celery.be_the_only_beat()
    try:
        after_task_publish.send(sender="core.sweep_outbox")
    finally:
        after_task_publish.disconnect(celery.note_what_is_sent)
        celery._held.pop().close()
    assert {path.name for path in tmp_path.iterdir()} == {"schedule.lock", "schedule.sent"}
