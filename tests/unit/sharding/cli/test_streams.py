"""shardctl writes to whatever its output is: any encoding, a full disk, a reader who has gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["app"]
DATABASES = {"default": {"ENGINE": "sharding.django.backend", "NAME": "none"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MODELS = """
from typing import ClassVar
from django.db import models
from sharding.django.placement import Distributed, Placement

class Missing(models.Model):
    placement: ClassVar[Placement] = Distributed(by="tenant_id")
"""
FULL = Path("/dev/full")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose only model names a shard key that it does not have."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").touch()
    (tmp_path / "app/models.py").write_text(MODELS)
    (tmp_path / "misspelt.py").write_text(SETTINGS)
    return tmp_path


def lint(project: Path, *options: str, stdout: object = subprocess.PIPE, encoding: str = "") -> str:
    """Return what `shardctl lint` says, on either stream; it has to end as it does for findings."""
    command = [*options, "lint", "--models-only", "--settings", "misspelt", "--path", str(project)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    if encoding:
        env["PYTHONIOENCODING"] = encoding
    done = subprocess.run(
        [sys.executable, "-m", "sharding", *command],
        cwd=ROOT,
        env=env,
        stdout=stdout,  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    said = ((done.stdout or b"") + done.stderr).decode(encoding or "utf-8")
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


def test_a_misspelt_shard_key_is_a_finding(project: Path) -> None:
    assert "E002" in lint(project)
    assert "is distributed by 'tenant_id', which is no field of it" in lint(project)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_any_encoding_will_do(encoding: str, project: Path) -> None:
    said = lint(project, encoding=encoding)
    assert "E002" in said
    assert ("E002 ·" in said) is (encoding != "ascii")


def test_json_is_the_same_in_any_encoding(project: Path) -> None:
    plain = json.loads(lint(project, "--format", "json", encoding="ascii"))
    assert plain == json.loads(lint(project, "--format", "json", encoding="utf-8"))


def test_what_an_encoding_lacks_is_written_in_plainer_signs() -> None:
    from sharding.cli import streams  # noqa: F401 - it registers them

    assert "✓ a → b, ≤ 3 …".encode("ascii", "plainly") == b"+ a -> b, <= 3 ~"
    assert "Größe – “x” 表".encode("latin-1", "plainly") == 'Größe - "x" ?'.encode("latin-1")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_a_full_disk_is_a_sentence(options: tuple[str, ...], project: Path) -> None:
    with FULL.open("w") as full:
        said = lint(project, *options, stdout=full)
    assert "shardctl: the result cannot be written: No space left on device." in said
    assert "Exception ignored" not in said
