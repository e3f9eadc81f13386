"""The audits say "nothing is known" only when they have been told so."""

from pathlib import Path

import pytest

from tests.unit.pipeline.conftest import Fake, Run

LOCKED = "requirements/prod.txt"
VULNERABLE = """
echo "Found 1 known vulnerability in 1 package" >&2
echo "Name  Version ID             Fix Versions"
echo "----- ------- -------------- ------------"
echo "flask 0.5     PYSEC-2019-179 1.0"
exit 1
"""
UNKNOWN = """
echo "ERROR:pip_audit._cli:click: Dependency not found on PyPI and could not be audited" >&2
exit 1
"""


@pytest.fixture
def database(checkout: Path, tmp_path: Path) -> Fake:
    """Stand in for pip-audit, which would ask PyPI."""
    (checkout / "requirements").mkdir()
    (checkout / LOCKED).write_text("flask==0.5 \\\n    --hash=sha256:0\n")
    (checkout / ".github/audit-exceptions.txt").write_text("# ID  # reason\n\n")
    (checkout / ".github/scripts/venv.sh").write_text("#!/bin/bash\n")
    program = checkout / ".venv-audit/bin/pip-audit"
    program.parent.mkdir(parents=True)

    def answer(file: str, lines: str) -> Path:
        program.write_text(f'#!/bin/bash\necho "$@" >>"{tmp_path}/asked"\n')
        with program.open("a") as script:
            script.write(f'[[ "$*" == *{file}* ]] || exit 0\n{lines}\n')
        program.chmod(0o755)
        return tmp_path / "asked"

    return answer


def test_nothing_known_is_fine_and_every_package_was_asked_about(database: Fake, run: Run) -> None:
    asked = database(LOCKED, "exit 0")
    done = run("audit.sh")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{LOCKED}: 1 packages, nothing known\n"
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(asked.read_text().split())


def test_a_known_vulnerability_is_shown(database: Fake, run: Run) -> None:
    database(LOCKED, VULNERABLE)
    done = run("audit.sh")
    assert done.returncode == 1
    assert "PYSEC-2019-179" in done.stdout


def test_no_answer_is_no_good_news(database: Fake, run: Run) -> None:
    database(LOCKED, UNKNOWN)
    done = run("audit.sh")
    assert done.returncode == 2
    assert f"{LOCKED}: NOT audited" in done.stderr
    assert "nothing known" not in done.stdout


def test_the_files_after_one_that_failed_are_audited_too(
    database: Fake, run: Run, checkout: Path
) -> None:
    (checkout / "requirements/audit.txt").write_text("a==1\n")
    database("requirements/audit.txt", UNKNOWN)
    done = run("audit.sh")
    assert done.returncode == 2
    assert f"{LOCKED}: 1 packages, nothing known" in done.stdout


def test_an_exception_is_handed_on_with_its_reason(
    database: Fake, run: Run, checkout: Path
) -> None:
    asked = database(LOCKED, "exit 0")
    exceptions = checkout / ".github/audit-exceptions.txt"
    exceptions.write_text("# list\nPYSEC-1-2  # we do not call it; gone with flask 1\n")
    assert run("audit.sh").returncode == 0
    assert "--ignore-vuln PYSEC-1-2" in asked.read_text()


@pytest.mark.parametrize("line", ["PYSEC-1-2", "PYSEC-1-2  #", "PYSEC-1-2 because"])
def test_an_exception_without_a_reason_is_refused(
    line: str, database: Fake, run: Run, checkout: Path
) -> None:
    asked = database(LOCKED, "exit 0")
    (checkout / ".github/audit-exceptions.txt").write_text(f"{line}\n")
    done = run("audit.sh")
    assert done.returncode == 2
    assert "PYSEC-1-2 has no reason" in done.stderr
    assert not asked.exists()


@pytest.mark.parametrize(
    ("code", "ends", "said"),
    [(0, 0, "nothing high"), (10, 1, "vulnerable"), (1, 2, "NOT scanned (Trivy ended with 1)")],
)
def test_a_scan_tells_findings_from_its_own_failure(
    code: int, ends: int, said: str, fake: Fake, run: Run
) -> None:
    fake("docker", "exit 0")
    fake("trivy", f"exit {code}")
    done = run("scan.sh", "shardmart/app:1")
    assert done.returncode == ends
    assert f"shardmart/app:1: {said}" in done.stdout + done.stderr


def test_without_its_scanner_a_scan_does_not_pass(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("bash", "dirname", "sed"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    done = run("scan.sh", PATH=str(tmp_path / "bin"))
    assert done.returncode == 2
    assert "trivy is not installed; no image was scanned" in done.stderr
