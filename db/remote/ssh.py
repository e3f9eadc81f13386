"""ssh to the host: the system's own client, with its keys, agents and configuration."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from typing import IO

from db.remote.errors import Refused, last_lines

UNREACHABLE = 255  # ssh's own exit code
# Never a question, never an unknown host; a dead connection is noticed within 30 s. What the
# operator gives stands before and wins.
OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "6",
}


class Ssh:
    """A host that commands are sent to."""

    def __init__(self, host: str, options: Sequence[str]) -> None:
        self.host = host
        self._command = ["ssh", *options]
        for name, value in OPTIONS.items():
            self._command += ["-o", f"{name}={value}"]
        self._command += ["-T", host]

    def run(
        self, command: Sequence[str], *, given: bytes = b"", seconds: float = 60
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command on the host; Refused when the host cannot be reached.

        Args:
            given: its standard input.
        """
        try:
            done = subprocess.run(
                [*self._command, shlex.join(command)],
                input=given,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Refused(f"{self.host} did not answer within {seconds:.0f} s.") from None
        except FileNotFoundError:
            raise Refused("There is no ssh here: install openssh-client.") from None
        if done.returncode == UNREACHABLE:
            raise Refused(
                f"{self.host} cannot be reached:\n{last_lines(done.stderr.decode(), 5)}\n"
                "Keys, known hosts and ports come from ssh's configuration or from SSH_OPTIONS."
            )
        return done

    def start(
        self, command: Sequence[str], *, takes: int | IO[bytes], gives: int | None
    ) -> subprocess.Popen[bytes]:
        """Start a command on the host.

        It is in a session of its own: a Ctrl-C is for us, who then tell the host.
        """
        return subprocess.Popen(
            [*self._command, shlex.join(command)],
            stdin=takes,
            stdout=gives,
            bufsize=0,
            start_new_session=True,
        )
