"""What can be chosen for a stack, and what is refused."""

from pathlib import Path

import pytest

from db.local.errors import InvalidVariable, StackError
from db.local.settings import Settings, choose, load, stack_name


def settings(
    *, citus: bool = True, before: Settings | None = None, stack: str = "local", **chosen: str
) -> Settings:
    return choose(chosen, stack=stack, citus=citus, pg_major="15", before=before)


def test_the_defaults_are_a_coordinator_and_two_workers() -> None:
    assert [(node.name, node.pg_port, node.pool_port) for node in settings().nodes] == [
        ("coordinator", 5500, 6500),
        ("worker1", 5501, 6501),
        ("worker2", 5502, 6502),
    ]


def test_without_citus_there_is_one_node_whatever_workers_says() -> None:
    assert [node.name for node in settings(citus=False, WORKERS="5").nodes] == ["single"]


@pytest.mark.parametrize("text", ["abc", "0", "99", "-1", "2.5", "٣", "1e1"])
def test_a_number_of_workers_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(InvalidVariable, match=rf"WORKERS={text} .* choose one from 1 to 8"):
        settings(WORKERS=text)


@pytest.mark.parametrize("text", ["80", "65536", "0"])
def test_a_port_out_of_range_is_named_with_its_variable(text: str) -> None:
    with pytest.raises(InvalidVariable, match=f"HTTP_PORT={text} is out of range"):
        settings(HTTP_PORT=text)


def test_a_port_asked_for_twice_names_both_variables() -> None:
    with pytest.raises(InvalidVariable, match=r"Port 5502 .*HTTP_PORT.*PG_PORT"):
        settings(HTTP_PORT="5502")


def test_two_rows_of_ports_may_not_overlap() -> None:
    with pytest.raises(InvalidVariable, match="POOL_PORT"):
        settings(PG_PORT="6498")


def test_a_row_of_ports_must_end_before_the_last_one() -> None:
    with pytest.raises(InvalidVariable, match=r"65536.*smaller PG_PORT"):
        settings(PG_PORT="65534")


def test_what_was_chosen_is_remembered_and_a_variable_wins_over_it(tmp_path: Path) -> None:
    settings(WORKERS="3", HTTP_PORT="9090").save(tmp_path / "stack.json")
    before = load(tmp_path / "stack.json")
    again = settings(before=before, HTTP_PORT="9091")
    assert (again.workers, again.http_port) == (3, 9091)


def test_spares_run_behind_the_workers_and_belong_to_no_cluster() -> None:
    chosen = settings(SPARES="2")
    assert [node.name for node in chosen.nodes] == ["coordinator", "worker1", "worker2"]
    spares = chosen.servers[len(chosen.nodes) :]
    assert [(node.name, node.pg_port, node.pool_port) for node in spares] == [
        ("worker3", 5503, 6503),
        ("worker4", 5504, 6504),
    ]
    assert {5504, 6504} <= {port.number for port in chosen.ports()}


def test_a_spare_is_found_again_as_the_worker_that_it_becomes() -> None:
    assert settings(SPARES="1").servers == settings(WORKERS="3").servers


def test_without_citus_there_is_nothing_to_be_spare_for() -> None:
    assert len(settings(citus=False, SPARES="2").servers) == 1


def test_workers_and_spares_together_have_a_limit() -> None:
    with pytest.raises(InvalidVariable, match=r"WORKERS=7 and SPARES=2 .* 8 together"):
        settings(WORKERS="7", SPARES="2")


def test_the_tests_move_fewer_shards() -> None:
    assert (settings().shards, settings(stack="test").shards) == (32, 8)


def test_an_empty_variable_counts_as_not_given() -> None:
    assert settings(WORKERS="").workers == 2


def test_nothing_is_remembered_before_the_first_run(tmp_path: Path) -> None:
    assert load(tmp_path / "stack.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stack": "local"}'])
def test_unreadable_memory_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(StackError, match="make clean"):
        load(tmp_path / "stack.json")


def test_the_test_stack_shares_no_port_with_the_local_one_even_with_the_same_variables() -> None:
    chosen = {"HTTP_PORT": "9090", "WORKERS": "8"}
    local = {port.number for port in settings(**chosen).ports()}
    test = {port.number for port in settings(stack="test", **chosen).ports()}
    assert len(local) == len(test) == 31
    assert not local & test


def test_the_ports_of_the_test_stack_are_changed_by_one_variable() -> None:
    assert {port.variable for port in settings(stack="test").ports()} == {"TEST_PORT_OFFSET"}


def test_only_the_test_stack_may_lose_its_data() -> None:
    assert settings().durable
    assert not settings(stack="test").durable


@pytest.mark.parametrize("name", ["../x", "A", "a b", "-a", "a" * 21, "a/b", "a\n"])
def test_a_stack_name_that_is_no_directory_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidVariable, match="STACK="):
        stack_name({"STACK": name})


def test_the_stack_is_called_local_unless_named() -> None:
    assert stack_name({}) == stack_name({"STACK": ""}) == "local"
