"""What the workflows call exists, and what they use is pinned."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCRIPTS = sorted((ROOT / ".github/scripts").glob("*.sh"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)+$")
TARGETS = set(re.findall(r"(?m)^([a-z%-]+):", (ROOT / "Makefile").read_text()))

each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return found


def commands(path: Path) -> str:
    steps = [step for job in jobs(path).values() for step in job.get("steps", [])]
    return "\n".join(step.get("run", "") for step in steps)


def test_there_are_three_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "deploy", "nightly"]


@each
def test_every_action_is_pinned_by_its_commit_and_says_its_version(path: Path) -> None:
    uses = [line.strip(" -") for line in path.read_text().splitlines() if "uses: " in line]
    assert [line for line in uses if not PINNED.match(line) and "uses: ./" not in line] == []


@each
def test_a_workflow_may_only_read_unless_a_job_says_why(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}
    for line in path.read_text().splitlines():
        assert ": write" not in line or " # " in line, line


@each
def test_every_job_ends_some_time(path: Path) -> None:
    for name, job in jobs(path).items():
        assert "uses" in job or job["timeout-minutes"] <= 180, name


@each
def test_every_script_and_target_that_is_called_exists(path: Path) -> None:
    called = commands(path)
    for script in re.findall(r"\.github/scripts/[\w-]+\.sh", called):
        assert (ROOT / script).stat().st_mode & 0o111, f"{script} cannot be run"
    for words in re.findall(r"(?m)^(?:[A-Z]+=\S+ )?make ([a-z -]+)", called):
        assert set(words.split()) <= TARGETS, words


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text().splitlines()
    if path.stem == "common":
        assert not path.stat().st_mode & 0o111
        return
    assert path.stat().st_mode & 0o111
    assert lines[0] == "#!/bin/bash"
    assert re.fullmatch(r"# [A-Z].*[.:,a-z`]", lines[1])
    assert f".github/scripts/{path.name}" in "\n".join(lines[:20])
