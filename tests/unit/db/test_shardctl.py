"""What a stack does for shardctl: it is installed, and finds the coordinator by itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from db.local import environment
from db.local.layout import Layout
from db.local.secrets_file import Secrets
from db.local.settings import choose


def test_the_env_file_leads_to_the_coordinator_itself_as_superuser(tmp_path: Path) -> None:
    settings = choose({}, stack="local", citus=True, pg_major="15", before=None)
    secrets = Secrets()
    layout = Layout(checkout=tmp_path, link=tmp_path, base=tmp_path)
    written = environment.variables(settings, secrets, layout)
    dsn = parse_dsn(written["SHARDCTL_DSN"])
    assert dsn["user"] == "postgres"
    assert dsn["password"] == secrets.postgres
    assert dsn["port"] == str(settings.nodes[0].pg_port)
    assert dsn["dbname"] == "shardmart"
    assert written["SHARDCTL_TEXT_PREFIXES"] == "email:,username:"


def test_shardctl_runs_from_any_directory(tmp_path: Path) -> None:
    """`make install` has put it beside Python."""
    program = Path(sys.prefix) / "bin" / "shardctl"
    if not program.exists():
        pytest.skip("not installed by `make install`")
    answer = subprocess.run(
        [program, "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert answer.returncode == 0
    assert "Usage: shardctl" in answer.stdout
