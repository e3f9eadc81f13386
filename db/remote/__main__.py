"""`python3 -m db.remote COMMAND`: bring a release to a host, or the one before it back.

    deploy     check everything, send what is needed, roll it out
    rollback   go back to the release before
    check      see whether a deployment could begin
    status     what runs there

Choices come from the environment (ENV, HOST, TAG, …): docs/deployment.md. Exit codes: 0 done,
1 refused before anything was changed, 2 failed and rolled back, 3 the rollback failed.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import NoReturn

from db.remote import following, images, options, parcel
from db.remote.errors import REFUSED, STUCK, DeploymentError, Refused
from db.remote.options import COMMANDS, Options
from db.remote.request import Request
from db.remote.ssh import Ssh

OLDEST_PYTHON, OLDEST_COMPOSE = (3, 11), (2, 24)
PROBE = """
echo "python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
echo "docker=$(docker version --format '{{.Server.Version}}' 2>/dev/null)"
echo "compose=$(docker compose version --short 2>/dev/null)"
echo "directory=$([ -d "$1" ] && [ -w "$1" ] && echo yes)"
"""
UNPACK = 'umask 022; mkdir -p "$1" && tar xzf - -C "$1"'
DONE = {
    0: "Done.",
    1: "Refused: nothing was changed.",
    2: "Failed, and rolled back.",
    3: "THE ROLLBACK FAILED, or its end is unknown: see above.",
}


class Operator:
    """One run, from here."""

    def __init__(self, chosen: Options) -> None:
        self.chosen = chosen
        self.ssh = Ssh(chosen.host, chosen.ssh_options)
        self.started = time.monotonic()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        self.request = Request(
            run=name,
            env=chosen.env,
            tag=chosen.tag,
            app_image=chosen.app_image,
            node_image=chosen.node_image,
            node_tag=chosen.node_tag,
            transfer=chosen.transfer,
            smoke=chosen.smoke,
            patience=chosen.patience,
            by=options.operator(),
            commit="",
        )
        self.incoming = f"{chosen.directory}/releases/incoming-{name}"

    def say(self, text: str) -> None:
        """Print one line at once."""
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def run(self, command: str) -> int:
        """Run a command; return the exit code."""
        self.probe()
        self.send()
        code: int | None = REFUSED
        try:
            if command == "status":
                return self._follow(command) or 0
            if command in {"deploy", "check"}:
                self.bring_images(only_look=command == "check")
            if command == "check":
                return 0
            code = self._follow(command)
            if code is None:
                path = f"{self.chosen.directory}/releases/runs/{self.request.run}-{command}"
                code = following.ask(self.ssh, path, self.say)
        finally:
            if code not in {None, STUCK}:  # else the host may be at it, and does so itself
                with contextlib.suppress(Refused):
                    self.ssh.run(["rm", "-rf", self.incoming])
        self.say(DONE.get(code, f"The host ended with {code}, which says nothing."))
        return code

    def probe(self) -> None:
        """See whether the host has what is needed."""
        where = self.chosen.directory
        done = self.ssh.run(["sh", "-s", where], given=PROBE.encode())
        lines = done.stdout.decode(errors="replace").splitlines()
        found = dict(line.split("=", 1) for line in lines if "=" in line)
        for program, oldest in (("python", OLDEST_PYTHON), ("compose", OLDEST_COMPOSE)):
            version = tuple(int(part) for part in found.get(program, "").split(".")[:2] if part)
            if version < oldest:
                wanted = ".".join(map(str, oldest))
                had = found.get(program) or "none"
                raise Refused(f"The host needs {program} {wanted} or newer, and has {had}.")
        if not found.get("docker"):
            raise Refused("The host's docker cannot be asked: does it run, and may this user?")
        if found.get("directory") != "yes":
            raise Refused(
                f"{where} on the host is missing, or not this user's: make it, and put an .env into"
                " it (docs/deployment.md, Updates)."
            )
        self.say(f"{self.chosen.host}: docker {found['docker']}, compose {found['compose']}")

    def send(self) -> None:
        """Send the program's other half, and the files of the release."""
        command = ["sh", "-c", UNPACK, "sh", self.incoming]
        done = self.ssh.run(command, given=parcel.pack(), seconds=300)
        if done.returncode:
            raise Refused(f"The files could not be sent: {done.stderr.decode().strip()}")

    def bring_images(self, *, only_look: bool) -> None:
        """Send the images that the host lacks and can get from nowhere else."""
        given = self.request.to_line().encode()
        done = self.ssh.run(self._on_host("check"), given=given, seconds=300)
        said = done.stdout.decode(errors="replace").strip()
        if done.returncode:
            raise Refused(said.partition("] ")[2].removesuffix("\nNothing was changed.") or said)
        missing = json.loads(said.splitlines()[-1])["missing"]
        self.say(f"The host is ready; it lacks {', '.join(missing) or 'no image'}")
        for image in missing if self.chosen.transfer == "ssh" else ():
            if images.exists(image):
                if not only_look:
                    images.send(self.ssh, image)
                    self.say(f"{image} is sent")
            elif image == self.chosen.image:
                raise Refused(f"Neither the host nor this machine has {image}: build it first.")

    def _follow(self, command: str) -> int | None:
        elapsed = time.monotonic() - self.started
        line = dataclasses.replace(self.request, elapsed=elapsed).to_line()
        return following.follow(self.ssh, self._on_host(command), line, self.say)

    def _on_host(self, command: str) -> list[str]:
        variables = ["PYTHONSAFEPATH=1", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1"]
        variables.append(f"PYTHONPATH={self.incoming}/tool")
        program = ["python3", "-m", "db.remote.host", command]
        return ["env", *variables, *program, self.chosen.directory, self.incoming]


class Parser(argparse.ArgumentParser):
    """argparse would end with 2, which means that something was rolled back."""

    def error(self, message: str) -> NoReturn:
        raise Refused(f"deploy.sh: {message}")


def commit() -> str:
    """Return the commit of the checkout, 12 digits; Refused when it is not all there is."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(parcel.CHECKOUT), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    if git("status", "--porcelain"):
        raise Refused("The checkout has changes that are in no commit: say which TAG to deploy.")
    return git("rev-parse", "--short=12", "HEAD")


def main() -> int:
    """Run one command; return the exit code."""
    parser = Parser(
        prog="deploy.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS, nargs="?", default="deploy")
    # A pipeline that is cancelled does the same as a person at the keyboard, and who was started
    # in the background, where shells ignore SIGINT, can be stopped as well.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        command = parser.parse_args().command
        needs_tag = command in {"deploy", "check"}
        chosen = options.choose(os.environ, commit=commit if needs_tag else lambda: "none")
        return Operator(chosen).run(command)
    except DeploymentError as error:
        print(f"{error}\nNothing was changed.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted; nothing was changed.", file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
