"""Renews what docs/sharding.md shows of shardctl, by running it.

    make up SPARES=1 && manage.py seed … && make bench-handbook

The commands are run in the order in which they stand in the text, on the stack that runs
(SHARDMART_ENV_FILE, else the local one): the spare node joins, and leaves again. Each stands above
its block, with {spare}, {user}, {email} and {product} in it::

    <!-- run: where {email} -->
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")

from db.local import settings as choices
from shop.config.environment import load
from tests.live import ROOT

PAGE = ROOT / "docs/sharding.md"
BLOCK = re.compile(r"(<!-- run: (?P<command>.+?) -->\n```console\n).*?(\n```)", re.DOTALL)
WIDTH = 96


def main() -> int:
    """Run every command, and write the page anew."""
    env = load()
    stack = choices.load(Path(env.required("RUN_DIR")) / "stack.json")
    if stack is None or not stack.citus or not stack.spares:
        print("This stack has no spare node: make up SPARES=1", file=sys.stderr)
        return 2
    dsn = env.required("SHARDCTL_DSN")
    words = {**_examples(dsn), "spare": f"127.0.0.1:{stack.servers[-1].pg_port}"}

    def renewed(found: re.Match[str]) -> str:
        command = found["command"].format(**words)
        print(f"shardctl {command}", flush=True)
        return f"{found[1]}$ shardctl {command}\n{_output(command, dsn)}{found[3]}"

    PAGE.write_text(BLOCK.sub(renewed, PAGE.read_text()))
    return 0


def _examples(dsn: str) -> dict[str, Any]:
    """Return a user with many orders, their address, and a product that is on the shelf."""
    heaviest = "SELECT user_id FROM orders_order GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(heaviest)
        (user,) = cursor.fetchone()
        cursor.execute("SELECT email FROM accounts_user WHERE id = %s", [user])
        (email,) = cursor.fetchone()
        cursor.execute("SELECT min(product_id) FROM inventory_stock")
        (product,) = cursor.fetchone()
    return {"user": user, "email": email, "product": product}


def _output(command: str, dsn: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "sharding", "--no-color", "--yes", *command.split()],
        cwd=ROOT,
        env={**os.environ, "SHARDCTL_DSN": dsn, "COLUMNS": str(WIDTH)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    lines = [line.rstrip() for line in finished.stdout.strip().splitlines()]
    ended = f"\n[exit {finished.returncode}]" if finished.returncode else ""
    return "\n".join(lines) + ended


if __name__ == "__main__":
    sys.exit(main())
