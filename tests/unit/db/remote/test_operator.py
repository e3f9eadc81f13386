"""The operator's half, with an ssh on PATH that runs here what it is given."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from db.remote import following
from db.remote.errors import REFUSED, Refused
from db.remote.ssh import Ssh

ROOT = Path(__file__).resolve().parents[4]
SCRIPT = ROOT / ".github/scripts/deploy.sh"

SSH = """#!/bin/sh
echo "$@" >> "$ASKED"
[ -z "$UNREACHABLE" ] || { echo "connect to host: Connection refused" >&2; exit 255; }
for command; do :; done
exec sh -c "$command"
"""
DOCKER = """#!/bin/sh
case "$1 $2" in
    "version --format") echo 28.0 ;;
    "compose version") echo "${COMPOSE:-2.30.1}" ;;
    *) echo "No such image" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an ssh and a docker on PATH that are ours; return the host's directory."""
    for name, text in (("ssh", SSH), ("docker", DOCKER)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    directory = tmp_path / "host"
    directory.mkdir()
    return directory


def deploy(directory: Path, command: str = "deploy", **variables: str) -> tuple[int, str]:
    """Run deploy.sh; return its exit code and what it says."""
    given = {"ENV": "staging", "HOST": "shop", "TAG": "v1", "DIRECTORY": str(directory)}
    environment = {**os.environ, **given, **variables}
    done = subprocess.run(
        [SCRIPT, command], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_host_that_cannot_be_reached_is_said_in_the_words_of_ssh(programs: Path) -> None:
    code, said = deploy(programs, UNREACHABLE="yes")
    assert code == REFUSED
    assert "shop cannot be reached:\n    connect to host: Connection refused" in said
    assert said.endswith("Nothing was changed.\n")


def test_an_unknown_host_is_never_trusted_and_nobody_is_asked(programs: Path) -> None:
    deploy(programs, UNREACHABLE="yes", SSH_OPTIONS="-p 2222")
    asked = (programs.parent / "asked").read_text()
    assert asked.startswith("-p 2222 -o BatchMode=yes -o StrictHostKeyChecking=yes")


def test_a_compose_that_is_too_old_is_refused(programs: Path) -> None:
    code, said = deploy(programs, COMPOSE="2.5.0")
    assert code == REFUSED
    assert "The host needs compose 2.24 or newer, and has 2.5.0." in said


def test_a_directory_that_is_missing_is_refused(programs: Path) -> None:
    code, said = deploy(programs / "none")
    assert code == REFUSED
    assert "none on the host is missing, or not this user's" in said


def test_what_the_host_refuses_is_said_once_and_leaves_nothing_there(programs: Path) -> None:
    code, said = deploy(programs)
    assert code == REFUSED
    assert said.count(".env is missing") == 1
    assert not list((programs / "releases").glob("incoming-*"))


def test_an_action_that_is_none_is_refused_and_not_called_a_rollback(programs: Path) -> None:
    code, said = deploy(programs, "destroy")
    assert code == REFUSED
    assert "invalid choice: 'destroy'" in said


def test_an_empty_host_has_nothing_to_show_or_to_go_back_to(programs: Path) -> None:
    code, said = deploy(programs, "status", TAG="")
    assert (code, "Nothing was deployed to" in said) == (0, True)
    code, said = deploy(programs, "rollback", TAG="")
    assert (code, "There is no release before this one" in said) == (REFUSED, True)


# A run on the host, followed from here.


@pytest.fixture
def ssh(programs: Path) -> Ssh:
    return Ssh("shop", [])


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_hosts_exit_code_is_ours(ssh: Ssh, code: int) -> None:
    command = ["sh", "-c", f"read request; exit {code}"]
    assert following.follow(ssh, command, "{}\n", print) == code


def test_ctrl_c_tells_the_host_which_then_ends_by_itself(ssh: Ssh) -> None:
    command = ["sh", "-c", 'read request; read word; [ "$word" = stop ] && exit 2']
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    assert following.follow(ssh, command, "{}\n", lambda text: None) == 2


def test_a_second_ctrl_c_leaves_the_host_alone_with_it(ssh: Ssh) -> None:
    said: list[str] = []
    for seconds in (0.3, 0.6):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
    assert following.follow(ssh, ["sleep", "5"], "{}\n", said.append) is None
    assert "the host rolls back" in said[0]


def test_a_connection_that_is_lost_is_not_taken_for_an_end(ssh: Ssh) -> None:
    assert following.follow(ssh, ["sh", "-c", "exit 255"], "{}\n", print) is None


def test_the_host_tells_later_how_it_ended(
    ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(following, "PAUSE", 0.05)
    path = tmp_path / "run-deploy"
    path.with_suffix(".log").write_text("[  9.0 s] Rolled back\n")
    later = threading.Timer(0.3, path.with_suffix(".json").write_text, ('{"exit": 2}\n',))
    later.start()
    assert following.ask(ssh, str(path), lambda text: None) == 2
    assert "Rolled back" in capsys.readouterr().out


def test_a_host_that_has_begun_nothing_has_changed_nothing(ssh: Ssh, tmp_path: Path) -> None:
    assert following.ask(ssh, str(tmp_path / "run-deploy"), print) == REFUSED


def test_a_host_that_is_gone_leaves_the_end_unknown(
    ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNREACHABLE", "yes")
    monkeypatch.setattr(following, "ASKED_FOR", 0.1)
    monkeypatch.setattr(following, "PAUSE", 0.05)
    assert following.ask(ssh, str(tmp_path / "run-deploy"), print) == 3


def test_without_ssh_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match="install openssh-client"):
        Ssh("shop", []).run(["true"])
