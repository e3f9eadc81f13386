"""When a program counts as changed."""

from pathlib import Path

import pytest

from db.local.layout import Layout
from db.local.programs import code_digest


@pytest.mark.parametrize("name", ["src/shop/new.py", "src/shop/core/static/page.css", "src/a.html"])
def test_a_changed_file_of_the_application_is_new_code(tmp_path: Path, name: str) -> None:
    layout = Layout(checkout=tmp_path, link=tmp_path / "run", base=tmp_path / "run")
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("old")
    before = code_digest(layout)
    assert code_digest(layout) == before
    path.write_text("new")
    assert code_digest(layout) != before


def test_what_python_compiles_for_itself_is_not_new_code(tmp_path: Path) -> None:
    layout = Layout(checkout=tmp_path, link=tmp_path / "run", base=tmp_path / "run")
    compiled = tmp_path / "src/shop/__pycache__/new.cpython-311.pyc"
    before = code_digest(layout)
    compiled.parent.mkdir(parents=True)
    compiled.write_text("compiled")
    assert code_digest(layout) == before
