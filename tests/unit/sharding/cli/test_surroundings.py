"""Where shardctl looks for its cluster when nobody names one."""

from pathlib import Path

import pytest

from sharding.cli import surroundings
from sharding.errors import InvalidInput


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SHARDCTL_DSN", "SHARDMART_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_option_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\nSHARDCTL_DSN=postgresql://file/x?a=b\n")
    monkeypatch.setenv("SHARDMART_ENV_FILE", str(file))
    assert surroundings.dsn(None) == "postgresql://file/x?a=b"
    monkeypatch.setenv("SHARDCTL_DSN", "postgresql://environment/x")
    assert surroundings.dsn(None) == "postgresql://environment/x"
    assert surroundings.dsn("postgresql://option/x") == "postgresql://option/x"


def test_the_local_stack_is_found_from_a_directory_below(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".run/local").mkdir(parents=True)
    (tmp_path / ".run/local/env").write_text("SHARDCTL_DSN=postgresql://local/x\n")
    below = tmp_path / "docs/figures"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert surroundings.dsn(None) == "postgresql://local/x"


def test_an_env_file_that_is_not_there_names_no_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHARDMART_ENV_FILE", str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="give --dsn"):
        surroundings.dsn(None)
