"""Following a run on the host: telling it that we are here, and asking how it ended if we were not.

The host rolls back by itself when it hears nothing any more, so a lost connection, a closed laptop
or a cancelled pipeline leaves nothing in between.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from typing import IO, cast

from db.remote.errors import REFUSED, STUCK, Refused
from db.remote.ssh import UNREACHABLE, Ssh

BEAT = 5.0  # seconds between two signs of life
ASKED_FOR = 1800.0  # seconds that a host which was lost is asked for the end of a run
PAUSE = 5.0  # seconds between two questions
LOG_LINES = 25

ASK = """
log=$1.log; end=$1.json
if [ ! -e "$log" ]; then echo absent; exit; fi
if [ ! -e "$end" ]; then echo running; exit; fi
cat "$end"; tail -n "$2" "$log"
"""


def follow(ssh: Ssh, command: list[str], request: str, say: Callable[[str], None]) -> int | None:
    """Run a command on the host, which prints its own progress; return its exit code.

    The first Ctrl-C tells the host to roll back, the second one leaves it alone with that.
    None: the connection was lost, or left; `ask` tells the end.
    """
    process = ssh.start(command, takes=subprocess.PIPE, gives=None)
    try:
        code = _follow(process, request, say)
    finally:
        cast(IO[bytes], process.stdin).close()
    return None if code is None or code == UNREACHABLE or code < 0 else code


def _follow(
    process: subprocess.Popen[bytes], request: str, say: Callable[[str], None]
) -> int | None:
    word, stops = request, 0
    while True:
        try:
            _tell(process, word)
            return process.wait(timeout=BEAT)
        except subprocess.TimeoutExpired:
            word = "beat\n"
        except KeyboardInterrupt:
            word, stops = "stop\n", stops + 1
            if stops > 1:
                process.kill()
                process.wait()
                return None
            say("Ctrl-C: the host rolls back. A second one leaves it alone with that")


def _tell(process: subprocess.Popen[bytes], word: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        cast(IO[bytes], process.stdin).write(word.encode())


def ask(ssh: Ssh, path: str, say: Callable[[str], None]) -> int:
    """Return how a run ended that we lost sight of; STUCK when the host does not tell.

    Args:
        path: of its log and its end on the host, without the suffix.
    """
    say("The connection is lost: the host goes on alone, and rolls back what it has begun")
    deadline = time.monotonic() + ASKED_FOR
    while time.monotonic() < deadline:
        told = ""
        with contextlib.suppress(Refused):
            done = ssh.run(["sh", "-s", path, str(LOG_LINES)], given=ASK.encode())
            told = done.stdout.decode(errors="replace").strip()
        if told == "absent":
            say("The host has begun nothing; nothing was changed")
            return REFUSED
        if told.startswith("{"):
            end, _, log = told.partition("\n")
            print(log, flush=True)
            return int(json.loads(end)["exit"])
        time.sleep(PAUSE)
    say(
        f"{ssh.host} did not tell how it ended. When it is back: ENV=… HOST=… "
        f".github/scripts/deploy.sh status; the log is {path}.log there"
    )
    return STUCK
