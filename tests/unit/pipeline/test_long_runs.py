"""The scripts of the nightly runs go on after a failure, keep what there is, and end with it."""

from pathlib import Path

import pytest

from tests.unit.pipeline.conftest import ROOT, Fake, Run

GREEN = "<testsuites><testsuite time='9'><testcase name='a'/></testsuite></testsuites>"

# `make test` writes the round's file, or ends before it has; the others say what they were asked.
MAKE = """
echo "$* CITUS=$CITUS STACK=${{STACK:-}}" >>"$(dirname "$0")/asked"
case "$*" in
    test*chaos-{bad}.xml*) mkdir -p .run/test/log && echo why >.run/test/log/app1.log && exit 2 ;;
    test*) all="$*"; echo "{green}" >"${{all##*--junitxml=}}" ;;
    up*) exit {up} ;;
    bench*) mkdir -p .run/nightly/log; echo "| phase | p99 |"; exit {bench} ;;
esac
"""


@pytest.fixture
def native(checkout: Path, tmp_path: Path, fake: Fake) -> Fake:
    """Say which round fails, and how `make up` and the benchmark end."""
    tests = checkout / "tests"
    tests.mkdir()
    for name in ("__init__.py", "rounds.py"):
        (tests / name).write_text((ROOT / "tests" / name).read_text())
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/bash\necho "$@" >>"{tmp_path}/bin/asked"\n')
    python.chmod(0o755)

    def tell(bad: str, ends: str) -> Path:
        up, bench = ends.split()
        lines = MAKE.format(bad=bad, green=GREEN, up=up, bench=bench)
        return fake("make", lines).with_name("asked")

    return tell


def test_all_rounds_are_played_and_the_own_stack_is_cleared_away(native: Fake, run: Run) -> None:
    asked = native("none", "0 0")
    done = run("chaos-native.sh", ROUNDS="2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| chaos-2 | 1 | 0 | 0 | 9 |" in done.stdout
    assert "| phase | p99 |" in done.stdout
    lines = asked.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["test", "test", "up", "bench-rebalancing", "-c"]
    assert all("CITUS=on" in line for line in lines[:-1])
    assert lines[2].endswith("STACK=nightly")
    assert 'clean("nightly")' in lines[-1]


def test_a_round_that_failed_is_told_and_the_others_are_played(
    native: Fake, run: Run, checkout: Path
) -> None:
    asked = native("1", "0 0")
    done = run("chaos-native.sh", ROUNDS="2")
    assert done.returncode == 1
    assert "| chaos-1 | 0 | 0 | did not end" in done.stdout
    assert "| chaos-2 | 1 | 0 | 0 | 9 |" in done.stdout
    assert (checkout / ".run-nightly/chaos-1.log/app1.log").read_text() == "why\n"
    assert "bench-rebalancing" in asked.read_text()


@pytest.mark.parametrize(("ends", "told"), [("1 0", "did not start"), ("0 1", "| phase | p99 |")])
def test_a_cluster_that_did_not_grow_fails_the_run(
    ends: str, told: str, native: Fake, run: Run
) -> None:
    asked = native("none", ends)
    done = run("chaos-native.sh", ROUNDS="1")
    assert done.returncode == 1
    assert told in done.stdout
    assert 'clean("nightly")' in asked.read_text()


SKIPPED = GREEN.replace("<testcase name='a'/>", "<testcase name='a'><skipped/></testcase>")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (f'echo "{GREEN}" >.run-nightly/chaos-1.xml; exit 1', "its stack did not come down"),
        (f'echo "{SKIPPED}" >.run-nightly/chaos-1.xml', "nothing ran"),
        ("true", "it left no file, and that of another night is not tonight's"),
    ],
)
def test_a_round_is_green_when_both_pytest_and_make_say_so(
    script: str, why: str, native: Fake, fake: Fake, run: Run, checkout: Path
) -> None:
    native("none", "0 0")
    fake("make", f'case "$*" in test*) {script} ;; esac')
    (checkout / ".run-nightly").mkdir()
    (checkout / ".run-nightly/chaos-1.xml").write_text(GREEN)
    assert run("chaos-native.sh", ROUNDS="1").returncode == 1, why


@pytest.fixture
def composed(checkout: Path, fake: Fake) -> Path:
    """A composed cluster on which growing fails, and a crash is survived; what was run."""
    fake("docker", 'case "$*" in version*) echo 99 ;; *haproxy*) echo 0123 ;; *) exit 9 ;; esac')
    (checkout / "db/local").mkdir(parents=True)
    for path, lines in {
        "db/local/install-python.sh": "true",
        ".venv/bin/python": 'echo "$@" | tee -a asked; [[ $3 != grow ]]',
    }.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(f"#!/bin/bash\n{lines}\n")
        (checkout / path).chmod(0o755)
    return checkout / "asked"


def test_what_grows_and_what_crashes_take_turns(composed: Path, run: Run) -> None:
    done = run("chaos-containers.sh", ROUNDS="2", BUYERS="3")
    assert done.returncode == 1
    assert done.stdout.count("### grow, round 2 of 2, in containers: **failed (1)**") == 1
    assert done.stdout.count("### kill, round 1 of 2, in containers\n") == 1
    what = ["grow", "kill"] * 2
    expected = [f"-m tests.load.composed {each} --buyers 3" for each in what]
    assert composed.read_text().splitlines() == expected


def test_a_cluster_that_does_not_run_is_not_shaken(composed: Path, fake: Fake, run: Run) -> None:
    fake("docker", 'case "$*" in version*) echo 99 ;; *) true ;; esac')
    done = run("chaos-containers.sh")
    assert done.returncode == 2
    assert "the composed cluster does not run" in done.stderr
    assert not composed.exists()


COMPOSE = """
case "$*" in
    version*) echo 99 ;;
    *inspect*) [[ "$*" != *gone* ]] ;;
    *) echo "$* WORKERS=$WORKERS" >>asked; [[ "$*" != *up* ]] || exit {up} ;;
esac
"""


@pytest.mark.parametrize(("up", "ends"), [("0", 0), ("1", 1)])
def test_a_cluster_is_up_when_all_of_it_is_healthy(
    up: str, ends: int, checkout: Path, fake: Fake, run: Run
) -> None:
    fake("docker", COMPOSE.format(up=up))
    fake("make", "echo made >.env")
    done = run("cluster-up.sh", WORKERS="4")
    assert done.returncode == ends
    assert ("4 workers: healthy" in done.stdout) == (ends == 0)
    assert (checkout / ".env").read_text() == "made\n"
    first = (checkout / "asked").read_text().splitlines()[0]
    assert {"up", "--no-build", "--wait", "WORKERS=4"} <= set(first.split())


def test_secrets_that_are_there_stay(checkout: Path, fake: Fake, run: Run) -> None:
    fake("docker", COMPOSE.format(up="0"))
    fake("make", "exit 1")
    (checkout / ".env").write_text("mine")
    assert run("cluster-up.sh").returncode == 0
    assert (checkout / ".env").read_text() == "mine"


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"WORKERS": "0"}, "WORKERS=0 is not a number"),
        ({"TAG": "gone"}, "there is no image shardmart/app:gone: make image"),
    ],
)
def test_a_cluster_is_not_begun_that_cannot_come_up(
    variables: dict[str, str], complaint: str, checkout: Path, fake: Fake, run: Run
) -> None:
    fake("docker", COMPOSE.format(up="0"))
    done = run("cluster-up.sh", **variables)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not (checkout / "asked").exists()
