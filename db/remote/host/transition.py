"""From the release that runs to another, and back again if that does not work.

A release that does not come up is not left in between: whatever goes wrong after the first
change, the one that ran is brought back in the same way, server by server. The schema stays as it
is: migrations only add (docs/deployment.md), and the old code lives with that.
"""

from __future__ import annotations

from collections.abc import Callable

from db.remote.errors import DONE, ROLLED_BACK, STUCK, DeploymentError
from db.remote.host import env_file, smoke
from db.remote.host.compose import Compose
from db.remote.host.edge import Edge
from db.remote.host.line import Line
from db.remote.host.releases import Releases
from db.remote.host.rolling import UNTOUCHED, Rolling
from db.remote.request import Request

JOBS = {
    "prepare": "Database, roles and nodes are set up",
    "migrate": "The schema is up to date; the code that runs goes on with it",
}
STARTED_WITHIN = 900  # seconds, for everything on an empty host


class Transition:
    """One run, whose preconditions hold.

    Args:
        old: what runs; None on an empty host.
        migrate: whether the jobs of the new release run first.
        history: what is noted when it has worked.
    """

    def __init__(
        self,
        request: Request,
        releases: Releases,
        line: Line,
        say: Callable[[str], None],
        edge: Edge,
        *,
        old: Compose | None,
        new: Compose,
        migrate: bool,
        history: list[str],
    ) -> None:
        self._request = request
        self._releases = releases
        self._line = line
        self._say = say
        self._edge = edge
        self._old = old
        self._new = new
        self._migrate = migrate
        self._history = history

    def run(self) -> int:
        """Go there, or back; return the exit code."""
        self._releases.state.under_way = self._request.run
        self._releases.save()
        try:
            if self._old:
                self._roll_to(self._new, migrate=self._migrate, lenient=False)
            else:
                self._start()
            self._try_out()
            self._line.check()
            self._line.deaf = True  # it works: who wants it to stop now is too late
            self._releases.settle(self._new.release, self._history)
            env = {"DEPLOY_ENV": self._request.env}
            env_file.write(self._releases.directory / ".env", env)
            code = DONE
        except Exception as error:
            code = self._go_back(error)
        if code != STUCK:
            self._releases.state.under_way = ""
            self._releases.save()
        return code

    def _roll_to(self, release: Compose, *, migrate: bool, lenient: bool) -> None:
        changed = self._releases.install(release.release)
        if changed:
            self._say(f"Files replaced: {', '.join(sorted(changed))}")
        for job, done in JOBS.items() if migrate else ():
            release.job(job)
            self._say(done)
        patience = self._request.patience
        rolling = Rolling(release, self._edge, self._line, self._say, patience, lenient=lenient)
        rolling.asked()
        rolling.app_servers()
        rolling.workers()
        self._renew_edge()
        rolling.others(changed)
        self._say("Workers and monitoring run the same release")

    def _renew_edge(self) -> None:
        """Reload HAProxy if what it has read is not what is there."""
        digest = self._releases.digest("haproxy")
        if digest != self._releases.state.loaded:
            self._edge.reload()
            self._releases.state.loaded = digest
            self._releases.save()
            self._say("HAProxy has its new configuration, and no connection was closed for it")

    def _start(self) -> None:
        """Start everything on an empty host."""
        self._releases.install(self._new.release)
        options = ["--detach", "--wait", "--no-build", f"--wait-timeout={STARTED_WITHIN}"]
        self._new.run("up", *options, what="docker compose up --wait")
        self._releases.state.loaded = self._releases.digest("haproxy")
        self._say("Everything runs and is healthy")

    def _try_out(self) -> None:
        if self._request.smoke != "none":
            self._say(f"{smoke.read(self._new)} pages read through HAProxy")
        if self._request.smoke == "journey":
            self._say(f"Smoke test: {smoke.buy(self._new)}")

    def _go_back(self, error: Exception) -> int:
        told = str(error) if isinstance(error, DeploymentError) else repr(error)
        self._say(f"{self._new.release.tag} is not deployed. {told}")
        self._line.deaf = True
        try:
            if self._old:
                self._say(f"Going back to {self._old.release.tag}")
                self._roll_to(self._old, migrate=False, lenient=True)
                self._releases.settle(self._old.release, self._releases.state.history)
                self._say(f"{smoke.read(self._old)} pages read through HAProxy")
                self._say(f"Rolled back: {self._old.release.tag} serves as before.")
            else:
                self._new.run("down", what="docker compose down", interruptible=False)
                self._say("Rolled back: nothing ran here before, nothing runs now; data is kept.")
        except Exception as second:
            return self._give_up(second)
        return ROLLED_BACK

    def _give_up(self, error: Exception) -> int:
        told = str(error) if isinstance(error, DeploymentError) else repr(error)
        directory = self._releases.directory
        self._say(
            f"THE ROLLBACK FAILED. {told}\n"
            "What still serves was left alone. On the host:\n"
            f"    cd {directory} && docker compose ps --all      # what runs\n"
            f"    docker compose logs --tail 50 app1 app2        # why the others do not\n"
            "Mend that, then deploy a release that works, the one before included: a deployment\n"
            "begins with the app servers that do not serve and takes none out that is the last."
        )
        return STUCK


def untouched(new: Compose) -> str:
    """Return a sentence about what a release would like to be different, and what is left alone."""
    differing = new.differing(UNTOUCHED)
    if not differing:
        return ""
    return (
        f"Left as it is, although this release describes it differently: {', '.join(differing)}."
        " Its restart would interrupt requests: docs/deployment.md, Updates, says how to do it."
    )
