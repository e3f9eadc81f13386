"""What deployments do to the traffic, good ones and bad ones: requests, failures and p99 by phase.

    ENV=staging HOST=… make bench-deploying ARGS="--url http://… deploy:v2 failing:broken rollback"

Buyers shop through HAProxy of a host that serves already, while `.github/scripts/deploy.sh` runs:

    deploy:TAG             works
    failing:TAG            is rolled back by itself
    interrupt:TAG:SECONDS  is rolled back after a Ctrl-C
    cut:TAG:SECONDS        is rolled back by the host, whose operator is killed
    twice:TAG:SECONDS      works, and is not disturbed by another one that begins meanwhile
    rollback               goes back by hand
    rest:SECONDS           nothing

HOST, ENV, SSH_OPTIONS, DIRECTORY, … are those of deploy.sh (docs/deployment.md). The images are
there, or with deploy.sh's ways to be had.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from db.remote import options
from db.remote.errors import DONE, REFUSED, ROLLED_BACK
from db.remote.ssh import Ssh
from tests.live import PASSWORD, ROOT, Shoppers

SCRIPT = ROOT / ".github/scripts/deploy.sh"
STOCK = 1_000_000
LOST_WITHIN = 600.0  # seconds for a host that was left alone


class Unexpected(Exception):
    """A deployment did not end as it should."""


def main() -> int:
    """Run the steps; return 1 when a request failed, or a step ended as it should not."""
    chosen = _options()
    host = options.choose({**os.environ, "TAG": "none"}, commit=str)
    ssh = Ssh(host.host, host.ssh_options)
    product = _product(chosen.url, ssh, host.directory)
    sessions: list[Shoppers] = []
    unexpected = ""
    for step in [f"rest:{chosen.seconds}", *chosen.steps, f"rest:{chosen.seconds}"]:
        # New people for each: an access token lasts for a quarter of an hour.
        with Shoppers(chosen.url, product=product, buyers=chosen.buyers) as shoppers:
            sessions.append(shoppers)
            try:
                with shoppers.during(step):
                    _take(step, chosen.log)
            except Unexpected as error:
                unexpected = f"{step}: {error}"
                break
    _report(sessions, chosen.buyers)
    print(unexpected, file=sys.stderr)
    return 1 if unexpected or any(session.failures for session in sessions) else 0


def _report(sessions: list[Shoppers], buyers: int) -> None:
    head, *_ = (tables := [session.table().splitlines() for session in sessions])
    print("\n".join(head[:2] + [row for table in tables for row in table[2:]]))
    orders = sum(len(ids) for session in sessions for ids in session.books.orders.values())
    failures = [failure for session in sessions for failure in session.failures]
    print(
        f"\n{buyers} buyers, {orders} orders; {len(failures)} of"
        f" {sum(len(session.answers) for session in sessions)} requests failed.\n\n"
        f"    {' '.join(['python -m tests.load.deploying', *sys.argv[1:]])}"
    )
    reasons = Counter((f.phase, f.request, f.reason[:80]) for f in failures)
    for (phase, request, reason), count in reasons.most_common(20):
        print(f"{count} × {phase}: {request}: {reason}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.load.deploying",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("steps", nargs="+", metavar="STEP")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the host is shopped")
    parser.add_argument("--buyers", type=int, default=4, help="who buy at the same time (4)")
    parser.add_argument("--seconds", type=float, default=10, help="of the phases at rest (10)")
    parser.add_argument("--log", type=Path, help="where what deploy.sh says is kept")
    chosen = parser.parse_args()
    kinds = {"deploy", "failing", "interrupt", "cut", "twice", "rollback", "rest"}
    for step in chosen.steps:
        if step.partition(":")[0] not in kinds:
            parser.error(f"{step} is unknown: choose {', '.join(sorted(kinds))}")
    return chosen


def _take(step: str, log: Path | None) -> None:
    kind, tag, seconds = (*step.split(":"), "", "")[:3]
    if kind == "rest":
        time.sleep(float(tag))
        return
    with (log or Path(os.devnull)).open("a") as output:
        print(f"\n$ # {step}", file=output, flush=True)
        process = _start("rollback" if kind == "rollback" else "deploy", tag, output)
        if seconds:
            time.sleep(float(seconds))
        if kind == "twice":
            _expect(_start("deploy", tag, output), REFUSED)
        if kind == "cut":
            process.kill()
            _wait_for_the_host(output)
            return
        if kind == "interrupt":
            process.send_signal(signal.SIGINT)
        _expect(process, ROLLED_BACK if kind in {"failing", "interrupt"} else DONE)


def _start(command: str, tag: str, output: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [SCRIPT, command],
        env={**os.environ, "TAG": tag},
        stdout=output,  # type: ignore[arg-type]
        stderr=subprocess.STDOUT,
    )


def _expect(process: subprocess.Popen[bytes], code: int) -> None:
    if process.wait() != code:
        raise Unexpected(f"deploy.sh ended with {process.returncode} instead of {code}")


def _wait_for_the_host(output: object) -> None:
    """Wait until a host that was left alone has nothing under way."""
    deadline = time.monotonic() + LOST_WITHIN
    while time.monotonic() < deadline:
        time.sleep(5)
        done = subprocess.run([SCRIPT, "status"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and "under way" not in done.stdout:
            print(done.stdout, file=output, flush=True)  # type: ignore[call-overload]
            return
    raise Unexpected("the host did not come to an end")


def _product(url: str, ssh: Ssh, directory: str) -> int:
    """Put something on sale of which there is enough, by a member of staff made on the host."""
    name = f"sam-{secrets.token_hex(8)}"
    command = ["docker", "compose", "--project-directory", directory, "exec", "--no-TTY", "app1"]
    command += ["python", "src/manage.py", "create_staff", f"--username={name}"]
    command += [f"--email={name}@example.com", "--role=admin"]
    made = ssh.run(command, given=PASSWORD.encode())
    if made.returncode:
        raise SystemExit(f"No member of staff could be made: {made.stderr.decode()}")
    with httpx.Client(base_url=url, timeout=60) as sam:
        login = sam.post("/api/auth/login/", json={"username": name, "password": PASSWORD})
        sam.headers["Authorization"] = f"Bearer {login.raise_for_status().json()['access']}"
        category = sam.post("/api/categories/", json={"name": name}).json()["id"]
        goods = {"name": name, "price": "10.00", "category_id": category}
        product = int(sam.post("/api/products/", json=goods).json()["id"])
        received = {"delta": STOCK, "reason": "receipt"}
        key = {"Idempotency-Key": name}
        sam.post(f"/api/products/{product}/stock/", json=received, headers=key).raise_for_status()
    return product


if __name__ == "__main__":
    sys.exit(main())
