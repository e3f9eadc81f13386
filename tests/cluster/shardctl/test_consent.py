"""Nothing is changed without a yes."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from tests import throwaway
from tests.cluster.shardctl import troubles
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

LINE = ["verify", "--no-checksums", "--fix"]


class Terminal(io.StringIO):
    """Standard input of somebody who sits there and types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def littered() -> Iterator[Throwaway]:
    with throwaway.cluster(workers=1, schema=False, settings=troubles.SETTINGS) as made:
        yield made


@pytest.mark.parametrize(("typed", "code", "left"), [("n\n", 2, 1), ("\n", 2, 1), ("y\n", 0, 0)])
def test_the_answer_decides(
    typed: str,
    code: int,
    left: int,
    shardctl: Shardctl,
    littered: Throwaway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with troubles.cleanup_record(1)(littered):
        monkeypatch.setattr("sys.stdin", Terminal(typed))
        answer = shardctl(*LINE, dsn=littered.dsn)
        assert answer.code == code
        assert "This will be done:" in answer.err
        assert littered.value("SELECT count(*) FROM pg_dist_cleanup") == left


def test_a_script_has_to_say_yes(shardctl: Shardctl, littered: Throwaway) -> None:
    with troubles.cleanup_record(1)(littered):
        refused = shardctl(*LINE, dsn=littered.dsn, format="json")
        assert refused.code == 2
        assert refused.error["code"] == "declined"
        assert shardctl(*LINE, "-y", dsn=littered.dsn).code == 0


def test_ctrl_c_at_the_question_is_130(
    shardctl: Shardctl, littered: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Terminal(""))
    monkeypatch.setattr("click.confirm", interrupted)
    with troubles.cleanup_record(1)(littered):
        assert shardctl(*LINE, dsn=littered.dsn).code == 130
