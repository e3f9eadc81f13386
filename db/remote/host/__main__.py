"""`python3 -m db.remote.host COMMAND DIRECTORY INCOMING`: the half that runs on the host.

    check      whether a deployment could begin; prints the images that are missing, as JSON
    deploy     deploys what lies in INCOMING/files
    rollback   goes back to the release before
    status     what runs, what ran before, and whether somebody deploys

The request is the first line of standard input; what follows is the line to the operator.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from db.remote.errors import REFUSED, DeploymentError
from db.remote.host import env_file
from db.remote.host.line import Line
from db.remote.host.progress import Progress
from db.remote.host.releases import Releases
from db.remote.host.runs import Run
from db.remote.request import Request

RUNS_KEPT = 20
ABANDONED = 24 * 3600  # seconds


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m db.remote.host", description=__doc__)
    parser.add_argument("command", choices=("check", "deploy", "rollback", "status"))
    parser.add_argument("directory", type=Path)
    parser.add_argument("incoming", type=Path)
    chosen = parser.parse_args()
    request = Request.from_line(sys.stdin.readline())
    directory, incoming = chosen.directory.absolute(), chosen.incoming.absolute()
    if chosen.command == "status":
        return status(Releases(directory))
    return run(chosen.command, request, directory, incoming)


def run(command: str, request: Request, directory: Path, incoming: Path) -> int:
    """Carry a request out; its log and its end are written down."""
    runs = directory / "releases" / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    _clear(runs)
    name = f"{request.run}-{command}"
    progress = Progress(runs / f"{name}.log", elapsed=request.elapsed, secrets=_secrets(directory))
    line = Line(sys.stdin)
    if command != "check":  # which gets its request, and no more
        line.listen()
    try:
        work = Run(request, directory, line, progress.say)
        if command == "check":
            print(json.dumps({"missing": work.check(incoming / "files")}))
            return 0
        code = work.deploy(incoming / "files") if command == "deploy" else work.roll_back()
    except (DeploymentError, OSError) as error:
        progress.say(f"{error}\nNothing was changed.")
        code = REFUSED
    finally:
        if command != "check":
            shutil.rmtree(incoming, ignore_errors=True)
    (runs / f"{name}.json").write_text(json.dumps({"exit": code}) + "\n")
    return code


def status(releases: Releases) -> int:
    """Print what runs."""
    if not releases.state.history:
        print(f"Nothing was deployed to {releases.directory}.")
    for number, name in enumerate(reversed(releases.state.history)):
        release = releases.load(name)
        role = ("runs", "before it: ROLLBACK=1 goes there", "")[min(number, 2)]
        print(f"{release.tag:24} {release.id:48} by {release.by}  {role}".rstrip())
    if releases.state.under_way:
        print(f"The run {releases.state.under_way} is under way, or was cut off.")
    return 0


def _clear(runs: Path) -> None:
    """Remove the logs of old runs, and what operators who got lost have left."""
    for old in sorted(runs.glob("*"))[: -2 * RUNS_KEPT]:
        old.unlink()
    for left in runs.parent.glob("incoming-*"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            shutil.rmtree(left, ignore_errors=True)


def _secrets(directory: Path) -> list[str]:
    try:
        return env_file.secrets(env_file.read(directory / ".env"))
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
