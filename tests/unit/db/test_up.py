"""What `make up` says before it begins."""

import dataclasses

import pytest

from db.local import up
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
