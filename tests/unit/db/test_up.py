"""What `make up` says before it begins."""

import dataclasses
import re
from pathlib import Path

import pytest
from django.urls import resolve

from db.local import report, up
from db.local.settings import Settings, choose

SINGLE = choose({}, stack="local", citus=False, pg_major="17", before=None)


@pytest.mark.parametrize(
    ("settings", "here", "told"),
    [
        (SINGLE, True, True),
        (SINGLE, False, False),
        (dataclasses.replace(SINGLE, citus=True), True, False),
    ],
)
def test_a_stack_without_citus_says_when_the_extension_has_been_installed_since(
    settings: Settings, here: bool, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    up.say_kind(settings, citus_is_here=here)
    assert ("`make clean`" in capsys.readouterr().out) is told


def test_every_address_that_is_printed_is_a_page_of_the_shop() -> None:
    printed = re.findall(rf"{re.escape(SINGLE.public_url)}(/\S*)", report.urls(SINGLE))
    assert {"/status/", "/api/docs/", "/admin/", "/health/ready"} <= set(printed)
    for path in printed:
        assert resolve(path), path


def test_what_to_do_next_is_what_the_readme_says() -> None:
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text()
    commands = [line.strip() for line in up.NEXT.splitlines() if "manage.py" in line]
    assert len(commands) == 2
    for command in commands:
        assert f"$ {command}\n" in readme
