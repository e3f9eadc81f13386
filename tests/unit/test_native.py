"""The rule by which tests are left out on the composed cluster."""

import pytest

from tests import native

pytest_plugins = ["pytester"]

TESTS = """
import pytest
from tests.native import native

@pytest.fixture
@native("starts a cluster")
def cluster(): pass

@pytest.fixture
def filled(cluster): pass

def test_by_fixture(cluster): pass
def test_by_a_fixture_of_a_fixture(filled): pass

@pytest.mark.native("starts HAProxy")
def test_by_mark(): pass

def test_that_needs_nothing(): pass
"""
SKIPPED = """
import pytest

def test_that_skips(): pytest.skip("no browser is installed")
"""


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container of the composed cluster, which has two workers."""
    monkeypatch.setattr(native, "COMPOSED", True)
    monkeypatch.setattr(native, "_workers", lambda: ["worker-1:5432", "worker-2:5432"])


def run(pytester: pytest.Pytester, text: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    pytester.makeini("[pytest]\nmarkers = native: as in pyproject.toml")
    return pytester.runpytest_inprocess("-p", "tests.native", "-p", "no:django")


@pytest.mark.usefixtures("composed")
def test_what_is_native_is_left_out_and_counted_by_its_reason(pytester: pytest.Pytester) -> None:
    result = run(pytester, TESTS)
    result.assert_outcomes(passed=1, deselected=3)
    result.stdout.fnmatch_lines(
        [
            "composed cluster of 2 workers: worker-1:5432, worker-2:5432",
            "1 tests ran; 3 are left to `make test`:",
            "     2  starts a cluster",
            "     1  starts HAProxy",
        ]
    )


@pytest.mark.usefixtures("composed")
def test_a_test_that_skips_itself_fails(pytester: pytest.Pytester) -> None:
    result = run(pytester, SKIPPED)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Skipped where nothing may be*no browser is installed"])


@pytest.mark.usefixtures("composed")
def test_fewer_workers_than_asked_for_are_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "4")
    result = run(pytester, TESTS)
    assert result.ret == native.UNFIT
    assert "The cluster has 2 workers; WORKERS asks for 4." in result.outlines[-1]


def test_elsewhere_everything_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "COMPOSED", False)
    run(pytester, TESTS).assert_outcomes(passed=4)
