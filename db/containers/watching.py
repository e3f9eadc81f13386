"""The watch over the workers: who appears joins, and who is a member is watched.

Invariant: a worker joins when it appears, and not again while it runs. `shardctl remove-node` lets
go of one that runs still, until the scale goes down, and it must not come back meanwhile: not
when another one appears, and not when the watch itself is made anew, as each update does. So who
was seen is kept in a file, whose age shows the health check that the watch is alive. A container
that was made anew between two looks has another address, by which it is known to have appeared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from db.cluster.servers import Server
from db.containers import targets


class NotYet(Exception):
    """A worker cannot join at the moment; the text says why."""


@dataclass(frozen=True)
class Watch:
    """What a look needs.

    Attributes:
        directory: where the monitoring reads its targets, and where `watch` is kept.
        running: returns the workers that run, and the address of each.
        members: returns the nodes of pg_dist_node.
        settle: sets these workers up, members or not; the first of all are members afterwards.
        add: lets one join that is set up, or raises NotYet.
    """

    directory: Path
    running: Callable[[], Mapping[Server, str]]
    members: Callable[[], Collection[Server]]
    settle: Callable[[list[Server]], object]
    add: Callable[[Server], object]

    def look(self) -> None:
        """Let those join that have appeared since the last look, and write down who is asked.

        What does not succeed is said, and tried again at the next look.
        """
        running = {worker: f"{worker} {address}" for worker, address in self.running().items()}
        # Nobody at all is no news but a name service that does not answer.
        seen = self._seen() & set(running.values()) if running else self._seen()
        try:
            appeared = [worker for worker, line in running.items() if line not in seen]
            if appeared:
                self._join(appeared)
                seen |= set(running.values())
            targets.write(self.members(), self.directory)
        except (psycopg2.Error, NotYet) as error:
            print(f"not yet: {' '.join(str(error).split())}", flush=True)
        self._keep(seen)

    def _join(self, appeared: list[Server]) -> None:
        self.settle(appeared)
        members = set(self.members())
        for one in appeared:
            if one not in members:
                self.add(one)

    @property
    def _file(self) -> Path:
        return self.directory / "watch"

    def _seen(self) -> set[str]:
        return set(self._file.read_text().splitlines()) if self._file.exists() else set()

    def _keep(self, seen: set[str]) -> None:
        draft = self._file.with_name("watch.new")
        draft.write_text("".join(f"{line}\n" for line in sorted(seen)))
        draft.replace(self._file)
