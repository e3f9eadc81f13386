"""Which metrics there are."""

from pathlib import Path

import pytest

from monitoring import known


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(known, "ROOT", tmp_path)
    room = tmp_path / "src" / "shop"
    room.mkdir(parents=True)
    return room


def test_names_are_read_from_the_code_that_counts(code: Path) -> None:
    (code / "a.py").write_text(
        'ORDERS = Counter("shardmart_orders_placed", "Orders.")\n'
        'WAIT = metrics.Histogram("shardmart_wait_seconds", "Wait.", ["queue"])\n'
        'OPEN = Gauge("sharding_open", "Open.")\n'
        'OTHER = Counter("somebody_elses_total", "Not ours.")\n'
    )
    assert known.ours() == {
        "shardmart_orders_placed_total",
        "shardmart_wait_seconds_bucket",
        "shardmart_wait_seconds_count",
        "shardmart_wait_seconds_sum",
        "sharding_open",
    }


def test_a_name_that_is_only_spoken_of_is_not_known(code: Path) -> None:
    (code / "a.py").write_text('QUERY = "rate(shardmart_orders_placed_total[5m])"\n')
    assert known.ours() == set()


def test_what_is_recorded_is_known() -> None:
    assert "api:http_request_duration_seconds:p99_5m" in known.recorded()
    assert "haproxy_frontend_http_responses_total" in known.others()
