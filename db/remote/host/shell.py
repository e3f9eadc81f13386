"""Programs that are run on the host, with an ear for the operator."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from db.remote.errors import CommandFailed, Interrupted
from db.remote.host.line import Line

ENDS_WITHIN = 40.0  # seconds, for a program that is told to stop


class Shell:
    """Runs programs; what they print is returned, or shown when they fail."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def run(
        self,
        command: Sequence[str],
        *,
        what: str,
        variables: Mapping[str, str] | None = None,
        interruptible: bool = True,
        given: str = "",
    ) -> str:
        """Return what a program prints.

        Args:
            what: its name in a sentence.
            given: its standard input; no file of that name ever exists, so it may be secret.
            interruptible: whether it may be stopped in the middle; if not, it is waited for.

        Raises:
            CommandFailed: it ended with another code than 0.
            Interrupted: the operator wants it to stop.
        """
        with contextlib.ExitStack() as files:
            source, output, errors = (
                files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)
            )
            source.write(given)
            source.seek(0)
            # A session of its own: what is sent to us, a SIGHUP of a lost connection, is ours.
            process = subprocess.Popen(
                command,
                stdin=source,
                stdout=output,
                stderr=errors,
                env={**os.environ, **(variables or {})},
                start_new_session=True,
                text=True,
            )
            try:
                self._wait(process, interruptible=interruptible)
            except Interrupted:
                _end(process)
                raise
            output.seek(0)
            errors.seek(0)
            printed = output.read()
            if process.returncode:
                raise CommandFailed(what, printed + errors.read())
            return printed

    def _wait(self, process: subprocess.Popen[str], *, interruptible: bool) -> None:
        while True:
            try:
                process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                if interruptible:
                    self._line.check()
            else:
                return


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
