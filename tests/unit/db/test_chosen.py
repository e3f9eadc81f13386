"""local.env: what may stand in it, and where that goes."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

from db.local import chosen, environment
from db.local.errors import InvalidVariable
from db.local.layout import Layout
from db.local.secrets_file import Secrets
from db.local.settings import choose
from shop.config.meanings import BY_THE_STACK, CHOSEN


def take(
    text: str, directory: Path, environ: dict[str, str], stack: str = "local"
) -> dict[str, str]:
    (directory / f"{stack}.env").write_text(text)
    return chosen.take(environ, stack, checkout=directory)


def test_settings_go_to_the_application_and_variables_of_make_to_make(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    lines = ["# ours", "CURRENCY=CHF", "WORKERS=3", "ALERT_TO='on@call.example'"]
    taken = take("\n".join([*lines, 'MAIL_FROM="Us <us@x.example>"']), tmp_path, environ)
    assert taken == {"CURRENCY": "CHF", "MAIL_FROM": "Us <us@x.example>"}
    assert environ == {"WORKERS": "3", "ALERT_TO": "on@call.example"}


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    environ = {"WORKERS": "1"}
    take("WORKERS=3\n", tmp_path, environ)
    assert environ == {"WORKERS": "1"}


def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(InvalidVariable, match=r"local.env: .* CURENCY \(is it CURRENCY\?\)"):
        take("CURENCY=CHF\n", tmp_path, {})


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_what_the_stack_sets_cannot_be_chosen(name: str, tmp_path: Path) -> None:
    assert name in BY_THE_STACK
    with pytest.raises(InvalidVariable, match=f"{name} cannot be chosen"):
        take(f"{name}=postgresql://else.example/x\n", tmp_path, {})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("UNPAID_ORDER_MINUTES=soon", "UNPAID_ORDER_MINUTES cannot be used"),
        ("THROTTLE_USER=600/minute", "THROTTLE_USER is '600/minute'"),
        ("SHARD_ROUTING=yes", "SHARD_ROUTING is 'yes'; it must be on or off"),
        ("LOG_LEVEL=chatty", "LOG_LEVEL is 'chatty'"),
    ],
)
def test_a_value_of_no_use_is_refused_before_anything_starts(
    line: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidVariable, match=told):
        take(f"{line}\n", tmp_path, {})


def test_the_tests_stack_has_no_file(tmp_path: Path) -> None:
    assert take("CURRENCY=CHF\n", tmp_path, {}, stack="test") == {}


def test_a_stack_of_another_name_has_a_file_of_its_own(tmp_path: Path) -> None:
    assert take("CURRENCY=CHF\n", tmp_path, {}, stack="two") == {"CURRENCY": "CHF"}
    assert chosen.take({}, "local", checkout=tmp_path) == {}


def test_every_setting_that_can_be_chosen_reaches_the_processes_as_it_was_written(
    tmp_path: Path,
) -> None:
    layout = Layout(checkout=tmp_path, link=tmp_path, base=tmp_path)
    settings = choose({}, stack="local", citus=False, pg_major="17", before=None)
    values = dict.fromkeys(CHOSEN, 'it\'s a \\ "value" # of $HOME') | {"CURRENCY": "CHF"}
    environment.write(settings, Secrets(), layout, values)
    written = dotenv_values(layout.env, interpolate=False)
    assert {name: written[name] for name in values} == values


def test_the_stack_sets_nothing_that_the_settings_do_not_know() -> None:
    names = chosen.ask_settings({})
    assert (set(names["chosen"]), set(names["by the stack"])) == (set(CHOSEN), set(BY_THE_STACK))
