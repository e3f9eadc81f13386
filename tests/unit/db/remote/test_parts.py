"""What is sent, what is said, and what stands in .env."""

import ast
import io
import os
import sys
import tarfile
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import pytest

from db.remote import parcel
from db.remote.errors import CommandFailed, Interrupted, Refused
from db.remote.host import env_file, line
from db.remote.host.line import Line
from db.remote.host.progress import Progress
from db.remote.host.runs import ROOMS
from db.remote.host.shell import Shell

ROOT = Path(__file__).resolve().parents[4]


def test_what_runs_elsewhere_needs_nothing_but_python() -> None:
    """Neither the operator's machine nor the host has our packages."""
    ours = {"db.remote", "db.balancer", "db.placeholders"}
    shared = [ROOT / "db/placeholders.py"]
    for path in [*ROOT.glob("db/remote/**/*.py"), *ROOT.glob("db/balancer/*.py"), *shared]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                is_ours = any(name == one or name.startswith(f"{one}.") for one in ours)
                assert is_ours or name.partition(".")[0] in sys.stdlib_module_names, (path, name)


def test_every_file_that_a_container_has_mounted_is_sent() -> None:
    """A bind mount of docker-compose.yml that lies elsewhere would be empty on the host."""
    mounted = [
        word.partition(":")[0].removeprefix("./")
        for text in (ROOT / "docker-compose.yml").read_text().splitlines()
        for word in text.replace('"', " ").replace("[", " ").replace(",", " ").split()
        if word.startswith("./")
    ]
    assert mounted
    for path in mounted:
        assert any(Path(path).is_relative_to(room) for room in ROOMS), path


def test_the_parcel_can_be_read_by_containers_and_names_nobody(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(parcel.pack())) as tar:
        entries = {entry.name: entry for entry in tar.getmembers()}
    assert "tool/db/remote/host/__main__.py" in entries
    assert "files/haproxy/haproxy.cfg" in entries
    assert not any("__pycache__" in name or ".env" in name for name in entries)
    assert {entry.mode for entry in entries.values()} <= {0o755, 0o644}
    assert {(entry.uid, entry.uname) for entry in entries.values()} == {(0, "")}


def test_a_checkout_that_is_private_sends_what_containers_can_read(tmp_path: Path) -> None:
    for name in ("docker-compose.yml", *(f"{room}/file" for room in ROOMS)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    with tarfile.open(fileobj=io.BytesIO(parcel.pack(tmp_path))) as tar:
        assert tar.getmember("files/haproxy/file").mode == 0o644


def test_a_checkout_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"has no docker-compose\.yml"):
        parcel.pack(tmp_path)


def test_secrets_are_blacked_out_on_the_screen_and_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"APP_PASSWORD": "s3cret-of-the-app", "TAG": "v1-and-longer", "GATEWAY_KEY": "short"}
    progress = Progress(tmp_path / "log", elapsed=0, secrets=env_file.secrets(values))
    progress.say(
        "postgresql://app:s3cret-of-the-app@coordinator in a short sentence, v1-and-longer"
    )
    said = "postgresql://app:***@coordinator in a short sentence, v1-and-longer"
    assert said in capsys.readouterr().out
    assert said in (tmp_path / "log").read_text()


def test_an_env_file_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n# B=2\nexport C='3 4'\nD=\"5\" \nE=6 # six\nF=\nG=a=b\n")
    assert env_file.read(path) == {"A": "1", "C": "3 4", "D": "5", "E": "6", "F": "", "G": "a=b"}


def test_what_a_compose_file_needs_is_what_it_marks() -> None:
    text = "${A:?see} ${B?} ${C:-default} ${D} ${A:?again} ${E:+x}"
    assert env_file.needed(text) == ["A", "B"]


def test_a_value_that_stands_there_twice_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("TAG=1\nX=y\nTAG=2")
    env_file.write(path, {"TAG": "3"})
    assert path.read_text() == "TAG=3\nX=y\n"


# Programs that are run while somebody may want to stop them.


class Operator(NamedTuple):
    line: Line
    end: FileIO


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """A line that is listened to, and the operator's end of it."""
    monkeypatch.setattr(line.signal, "signal", lambda *_: None)
    ours, theirs = os.pipe()
    with os.fdopen(ours) as here, os.fdopen(theirs, "wb", buffering=0) as there:
        told = Line(here)
        thread = told.listen()
        yield Operator(told, there)
        there.close()
        thread.join()


def test_stop_ends_a_program_that_may_be_ended(operator: Operator) -> None:
    operator.end.write(b"beat\nstop\n")
    with pytest.raises(Interrupted, match="Ctrl-C"):
        Shell(operator.line).run(["sleep", "30"], what="sleeping")


def test_what_may_not_be_cut_off_is_waited_for(operator: Operator) -> None:
    operator.end.close()
    command = ["sh", "-c", "sleep 0.5; echo done"]
    assert Shell(operator.line).run(command, what="it", interruptible=False) == "done\n"
    with pytest.raises(Interrupted, match="connection to the operator is lost"):
        operator.line.check()
    operator.line.deaf = True
    operator.line.check()  # a rollback goes on


def test_silence_is_taken_for_a_lost_connection(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(line.time, "monotonic", lambda: now + line.SILENCE + 1)
    with pytest.raises(Interrupted, match="nothing was heard"):
        operator.line.check()


def test_a_program_that_fails_shows_the_end_of_what_it_said(operator: Operator) -> None:
    with pytest.raises(CommandFailed) as caught:
        Shell(operator.line).run(["sh", "-c", "seq 1 16; exit 1"], what="Counting")
    numbers = "\n".join(f"    {number}" for number in range(2, 17))
    assert str(caught.value) == f"Counting failed:\n{numbers}"
