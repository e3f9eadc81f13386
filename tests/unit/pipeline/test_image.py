"""The size check of the images."""

from pathlib import Path

import pytest

from tests.unit.pipeline.conftest import Fake, Run

MB = 1_000_000

# Layers of each image in bytes, as `docker history` tells them: the newest first.
DOCKER = """
case "$1" in
    version) echo 99 ;;
    image | pull) [[ "${*: -1}" != *:gone ]] ;;
    history)
        case "${*: -1}" in
            shardmart/app:*) printf '%s\\n' 0 {app} 120000000 ;;
            shardmart/node:*) printf '%s\\n' {node} 600000000 ;;
            python:slim) echo 120000000 ;;
            citusdata/citus:1) echo 600000000 ;;
            *) echo "No such image" >&2; exit 1 ;;
        esac ;;
    *) echo "docker $*: not expected" >&2; exit 9 ;;
esac
"""


def dockerfiles(checkout: Path, *, node: str) -> None:
    for room, text in {
        "src": "FROM other:2 AS packages\nFROM python:slim AS app\nFROM app AS tests\n",
        "db/containers/node": f"# Citus\nFROM {node}\n",
    }.items():
        (checkout / room).mkdir(parents=True, exist_ok=True)
        (checkout / room / "Dockerfile").write_text(text)


@pytest.fixture
def size(checkout: Path, fake: Fake) -> Fake:
    """Say how large the upper layers are: of the application, of a node."""
    dockerfiles(checkout, node="citusdata/citus:1")

    def tell(app: str, node: str) -> Path:
        return fake("docker", DOCKER.replace("{app}", app).replace("{node}", node))

    return tell


def test_images_within_their_limits_are_fine(size: Fake, run: Run) -> None:
    size(str(130 * MB), str(200 * MB))
    done = run("image.sh", "size")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2:] == [
        "| `shardmart/app:local` | 250.0 | 130.0 | 120.0 (`python:slim`) | all: 250 | |",
        "| `shardmart/node:local` | 800.0 | 200.0 | 600.0 (`citusdata/citus:1`) | ours: 200 | |",
    ]


@pytest.mark.parametrize(
    ("app", "node", "large"),
    [
        (130 * MB + 1, 0, "shardmart/app"),
        (0, 200 * MB + 1, "shardmart/node"),
        (500 * MB, 99 * MB, "shardmart/app"),
    ],
)
def test_an_image_that_is_too_large_is_named(
    app: int, node: int, large: str, size: Fake, run: Run
) -> None:
    size(str(app), str(node))
    done = run("image.sh", "size")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if large in line]
    assert line.endswith("| **too large** |")
    assert len(done.stdout.splitlines()) == 4  # the other one is told all the same


def test_a_limit_can_be_chosen(size: Fake, run: Run) -> None:
    size(str(30 * MB), "0")
    assert run("image.sh", "size", APP_LIMIT="149").returncode == 1
    assert run("image.sh", "size", APP_LIMIT="150").returncode == 0


def test_the_table_is_kept_for_the_summary_of_the_job(size: Fake, run: Run, tmp_path: Path) -> None:
    size("0", "0")
    summary = tmp_path / "summary.md"
    summary.write_text("what was there before\n")
    done = run("image.sh", "size", GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text() == "what was there before\n" + done.stdout


def test_an_image_that_is_not_there_is_not_small(size: Fake, run: Run) -> None:
    size("0", "0")
    done = run("image.sh", "size", APP_IMAGE="elsewhere/app", TAG="7")
    assert done.returncode == 2
    assert "there is no image elsewhere/app:7" in done.stderr
    assert done.stdout == ""


def test_without_its_base_nobody_knows_what_is_ours(checkout: Path, size: Fake, run: Run) -> None:
    size("0", "0")
    dockerfiles(checkout, node="citusdata/citus:gone")
    done = run("image.sh", "size")
    assert done.returncode == 2
    assert "citusdata/citus:gone cannot be fetched" in done.stderr


SCRIPTS = ("image.sh", "cluster-up.sh", "cluster-logs.sh", "chaos-containers.sh")


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_a_daemon_nothing_is_claimed(
    script: str, checkout: Path, fake: Fake, run: Run
) -> None:
    dockerfiles(checkout, node="x")
    fake("docker", "exit 1")
    done = run(script)
    assert done.returncode == 2
    assert "docker's daemon does not answer" in done.stderr
