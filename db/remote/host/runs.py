"""What a run on the host does, from its request to its exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from db.remote.errors import DONE, Refused, StepFailed
from db.remote.host import checks, env_file
from db.remote.host.compose import Compose
from db.remote.host.edge import Edge
from db.remote.host.line import Line
from db.remote.host.releases import COMPOSE_FILE, Release, Releases
from db.remote.host.shell import Shell
from db.remote.host.transition import Transition, untouched
from db.remote.request import Request

# What containers have mounted.
ROOMS = ("haproxy", "monitoring/grafana", "docs/runbooks")


class Run:
    """One request, carried out in a directory of the host."""

    def __init__(
        self, request: Request, directory: Path, line: Line, say: Callable[[str], None]
    ) -> None:
        self.request = request
        self.directory = directory
        self.line = line
        self.say = say
        self.shell = Shell(line)
        self.releases = Releases(directory)

    def check(self, incoming: Path) -> list[str]:
        """See whether a deployment could begin; return the images that the host lacks."""
        with checks.lock(self.releases.root, self.request):
            return checks.missing_images(self.shell, self._checked(self._wanted(), incoming))

    def deploy(self, incoming: Path) -> int:
        """Deploy what was sent; return the exit code."""
        with checks.lock(self.releases.root, self.request):
            self._note_the_dead()
            wanted = self._wanted()
            new = self._checked(wanted, incoming)
            checks.pull(self.shell, checks.missing_images(self.shell, new))
            self.say("The images are here")
            edge = self._edge(new, incoming)
            self.releases.take_in(incoming, wanted)
            new = self._compose(wanted, self.releases.files(wanted))
            history = [*self.releases.state.history, wanted.id]
            return self._go(new, edge, migrate=True, history=history)

    def roll_back(self) -> int:
        """Go back to the release before; return the exit code."""
        with checks.lock(self.releases.root, self.request):
            self._note_the_dead()
            current, previous = self.releases.current, self.releases.previous
            if current is None or previous is None:
                raise Refused("There is no release before this one to go back to.")
            files = self.releases.files(previous)
            new = self._checked(previous, files)
            checks.pull(self.shell, checks.missing_images(self.shell, new))
            self.say(f"Going back from {current.tag} to {previous.tag}")
            history = self.releases.state.history[:-1]
            return self._go(new, self._edge(new, files), migrate=False, history=history)

    def _go(self, new: Compose, edge: Edge, *, migrate: bool, history: list[str]) -> int:
        old = self._current()
        self.line.check()
        if old is None:
            env_file.write(self.directory / ".env", self._nodes())
        code = Transition(
            self.request,
            self.releases,
            self.line,
            self.say,
            edge,
            old=old,
            new=new,
            migrate=migrate,
            history=history,
        ).run()
        if code == DONE:
            self._tidy_up()
            before = self.releases.previous
            back = f"; ROLLBACK=1 goes back to {before.tag}" if before else ""
            self.say(f"{new.release.tag} runs{back}")
            if told := untouched(new):
                self.say(told)
        return code

    def _checked(self, release: Release, files: Path) -> Compose:
        """Return compose for a release that could be deployed; Refused if not."""
        checks.check_env(self.directory, files / COMPOSE_FILE, self.request)
        checks.check_disk(self.shell, self.directory)
        compose = self._compose(release, files)
        checks.check_compose(compose)
        self._adopt(compose)
        if self.releases.current:
            checks.check_databases(compose)
        return compose

    def _edge(self, new: Compose, files: Path) -> Edge:
        """Return HAProxy, which answers and likes its new configuration, if there is one yet."""
        old = self._current()
        edge = Edge(self.shell, self.line, old or new)
        if old:
            edge.connect([old.release.image, new.release.image])
            edge.check(new, files)
            self.say("HAProxy answers and accepts its configuration")
        return edge

    def _current(self) -> Compose | None:
        current = self.releases.current
        return self._compose(current, self.releases.files(current)) if current else None

    def _wanted(self) -> Release:
        request = self.request
        return Release(
            id=f"{request.run}-{request.tag}",
            tag=request.tag,
            app_image=request.app_image,
            by=request.by,
            commit=request.commit,
        )

    def _compose(self, release: Release, files: Path) -> Compose:
        nodes = {} if self.releases.current else self._nodes()
        return Compose(self.shell, self.directory, files, release, nodes)

    def _nodes(self) -> dict[str, str]:
        """Return which image the nodes of an empty host get; `local` is where it is built."""
        known, request = env_file.read(self.directory / ".env"), self.request
        tag = known.get("NODE_TAG", "").removesuffix("local")
        return {
            "NODE_IMAGE": request.node_image or known.get("NODE_IMAGE") or "shardmart/node",
            "NODE_TAG": request.node_tag or tag or request.tag,
        }

    def _adopt(self, compose: Compose) -> None:
        """Take what was started here by hand for the release that runs."""
        if self.releases.current or self.releases.state.installed:
            return
        running = [one for one in compose.containers("app1") if one.state == "running"]
        if not running or not (self.directory / COMPOSE_FILE).exists():
            return
        image, _, tag = running[0].image.rpartition(":")
        release = Release(
            id=f"{self.request.run}-adopted", tag=tag, app_image=image, by=self.request.by
        )
        self.releases.adopt(release, [room for room in ROOMS if (self.directory / room).is_dir()])
        self.say(f"What was started here by hand, {tag}, is kept as the release to go back to")

    def _note_the_dead(self) -> None:
        if self.releases.state.under_way:
            self.say("The last run here was cut off in the middle; this one puts all in order")

    def _tidy_up(self) -> None:
        for image in self.releases.forget_old():
            with contextlib.suppress(StepFailed):
                self.shell.run(["docker", "image", "rm", image], what="docker image rm")
