"""The parts that a whole test run is made of."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.local import test_parts as parts
from db.local.test_parts import Part

TESTS = Path(__file__).resolve().parents[2]


def command(code: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", code])


def test_every_directory_of_tests_is_in_one_part(tmp_path: Path) -> None:
    every = [*parts.side_by_side(tmp_path), parts.the_rest(TESTS)]
    directories = [directory for part in every for directory in part.directories]
    with_tests = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}
    assert sorted(directories) == sorted(with_tests)


def test_what_kills_and_watches_the_stack_runs_alone() -> None:
    assert parts.the_rest(TESTS).directories == ("chaos", "clients", "e2e", "monitoring")


def test_each_part_has_a_test_database_and_a_log_of_its_own(tmp_path: Path) -> None:
    first, *others = parts.side_by_side(tmp_path)
    assert first.log is None
    assert len({part.database for part in (first, *others)}) == 1 + len(others)
    assert len({part.log for part in others}) == len(others)


def test_all_are_waited_for_and_the_logs_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_text("2 passed")
    codes = {Part(("a",)): "exit(0)", Part(("b",), log): "exit(3)"}
    assert parts.run(list(codes), lambda part: command(codes[part])) == [0, 3]
    assert capsys.readouterr().out == "\ntests/b, at the same time:\n2 passed\n"


def test_who_interrupts_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started = [command("import time; time.sleep(60)") for _ in range(2)]
    waiting = iter(started)

    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(started[0], "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            parts.run([Part(("a",)), Part(("b",))], lambda _: next(waiting))
    assert {process.wait(10) for process in started} <= {-signal.SIGINT, -signal.SIGKILL, 1, 130}
