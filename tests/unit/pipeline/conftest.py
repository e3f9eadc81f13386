"""A checkout that holds nothing but the scripts, and programs that only say what they are told."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

Run = Callable[..., subprocess.CompletedProcess[str]]
Fake = Callable[[str, str], Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Where a script takes itself to be."""
    top = tmp_path / "checkout"
    shutil.copytree(ROOT / ".github/scripts", top / ".github/scripts")
    return top


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make a program of that name, the first on PATH, from a few lines of shell."""

    def make(name: str, lines: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{lines}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def run(checkout: Path, tmp_path: Path) -> Run:
    """Run a script of the checkout; variables are keywords."""

    def call(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
        outside = {"GITHUB_STEP_SUMMARY", "APP_IMAGE", "NODE_IMAGE", "TAG", "NODE_TAG", "ENV"}
        inherited = {name: value for name, value in os.environ.items() if name not in outside}
        return subprocess.run(
            [checkout / ".github/scripts" / script, *arguments],
            env={**inherited, "PATH": path, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call
