"""Images on the operator's machine, and their way to a host without a registry."""

from __future__ import annotations

import subprocess
from subprocess import DEVNULL, PIPE
from typing import IO, cast

from db.remote.errors import Refused
from db.remote.ssh import Ssh


def exists(image: str) -> bool:
    """Whether this machine has an image; Refused without docker."""
    try:
        done = subprocess.run(
            ["docker", "image", "inspect", image], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise Refused("TRANSFER=ssh sends images of this machine: it has no docker.") from None
    if done.returncode and "No such image" not in done.stderr:
        raise Refused(f"TRANSFER=ssh needs this machine's docker: {done.stderr.strip()}")
    return not done.returncode


def send(ssh: Ssh, image: str) -> None:
    """Send an image: `docker save` here, `docker load` there, compressed on the way."""
    save = _start(["docker", "save", image])
    compress = _start(["gzip", "-1"], save)
    load = ssh.start(["docker", "load", "--quiet"], takes=_end_of(compress), gives=DEVNULL)
    try:
        codes = [process.wait() for process in (load, compress, save)]
    except BaseException:
        for process in (save, compress, load):
            process.kill()
        raise
    if any(codes):
        raise Refused(f"{image} could not be sent: docker save here or docker load there failed.")


def _start(
    command: list[str], source: subprocess.Popen[bytes] | None = None
) -> subprocess.Popen[bytes]:
    takes = _end_of(source) if source else DEVNULL
    return subprocess.Popen(command, stdin=takes, stdout=PIPE, start_new_session=True)


def _end_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    return cast(IO[bytes], process.stdout)
