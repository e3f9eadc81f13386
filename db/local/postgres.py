"""Making the data directory of a node, so that an interrupted attempt leaves nothing usable."""

from __future__ import annotations

import shutil
from pathlib import Path

from db.cluster.roles import ADMIN
from db.local.account import Account
from db.local.errors import StackError
from db.local.layout import Layout
from db.local.secrets_file import Secrets, write_private
from db.local.settings import Node, Settings


def remove_stale_lock(data: Path) -> bool:
    """Remove postmaster.pid when no server runs on `data`; return whether that was so.

    PostgreSQL refuses to start when the process id in it is alive. After a power loss that id may
    belong to anybody, with several nodes probably to one of them. A server works in its data
    directory, which tells the difference.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return False
    try:
        if Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve():
            return False
    except OSError:
        # No such process, or somebody else's: the data is ours, so it is not its server.
        pass
    lock.unlink()
    return True


def initialise(
    node: Node,
    settings: Settings,
    secrets: Secrets,
    *,
    layout: Layout,
    account: Account,
    bindir: Path,
) -> bool:
    """Run initdb for a node unless its data is there; return whether it ran.

    initdb works in a draft directory that gets the final name only when it has succeeded.
    """
    data = layout.node_data(node.name)
    if data.exists():
        return False
    draft = data.with_name(f"{node.name}.new")
    password = layout.postgres / f"{node.name}.password"
    shutil.rmtree(draft, ignore_errors=True)
    write_private(password, secrets.of(ADMIN) + "\n")
    account.own(password, mode=0o600)
    try:
        done = account.run(
            bindir / "initdb",
            f"--pgdata={draft}",
            f"--username={ADMIN}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The same order of text on every machine and after every upgrade of the C library.
            "--locale=C.UTF-8",
            "--data-checksums",
            *([] if settings.durable else ["--no-sync"]),
        )
    finally:
        password.unlink()
    if done.returncode:
        raise StackError(f"initdb failed for {node.name}: {(done.stderr or done.stdout).strip()}")
    draft.rename(data)
    return True
