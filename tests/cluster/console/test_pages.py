"""What the console shows of a cluster: its shards, who is busy, a move, and a node that is gone."""

import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from sharding.django.console import sampling, views
from sharding.django.console.notices import notices
from tests.cluster.console.conftest import Page
from tests.throwaway import Server, Throwaway

pytestmark = pytest.mark.django_db

HEIGHT = re.compile(r'<rect [^>]* height="([\d.]+)" [^>]*unknown')
COLUMN = re.compile(r'<section class="node.*?</section>', re.DOTALL)


def columns(page: str) -> dict[str, str]:
    """Return the columns of a page by the name of their node."""
    found = COLUMN.findall(page)
    return {re.search(r"Node ([\d.:]+)", one)[1]: one for one in found}  # type: ignore[index]


def blocks(column: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="block-(\d+)"', column)]


def group_of(citus: Throwaway, table: str) -> int:
    query = "SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = %s::regclass"
    return int(citus.value(query, [table]))


def placed(citus: Throwaway, table: str) -> dict[str, set[int]]:
    """Return the shards of a table by node, as Citus's own view tells them."""
    rows = citus.sql(
        "SELECT shardid, nodeport FROM citus_shards WHERE table_name::text = %s", [table]
    )
    nodes: dict[str, set[int]] = {}
    for row in rows:
        nodes.setdefault(f"127.0.0.1:{row.nodeport}", set()).add(row.shardid)
    return nodes


def test_each_node_shows_the_shards_that_it_holds(citus: Throwaway, page: Page) -> None:
    shown = columns(page())
    assert {node: set(blocks(column)) for node, column in shown.items()} == placed(citus, "users")
    assert citus.coordinator.address not in shown  # it holds none


def test_every_colocation_group_can_be_chosen(citus: Throwaway, page: Page) -> None:
    for table in ("users", "stock", "identities"):
        text = page(f"?group={group_of(citus, table)}")
        assert re.search(rf'aria-current="page">{table}\b', text)
        held = {number for column in columns(text).values() for number in blocks(column)}
        assert held == set().union(*placed(citus, table).values())


@pytest.mark.parametrize("nonsense", ["", "999", "x", "-1", "1;DROP"])
def test_a_group_that_there_is_not_is_the_first(page: Page, nonsense: str) -> None:
    assert re.search(r'aria-current="page">users\b', page(f"?group={nonsense}"))


def test_a_shard_has_a_page_with_its_tables_and_the_way_there(citus: Throwaway, page: Page) -> None:
    node, shards = next(iter(placed(citus, "users").items()))
    number = min(shards)
    text = html.unescape(page(f"{number}/"))
    assert f"Shard group {number}" in text
    assert "users" in text
    assert "orders" in text
    host, port = node.split(":")
    assert f'psql "host={host} port={port} dbname=postgres"' in text
    server = next(s for s in citus.servers if s.address == node)
    name = re.search(r"SELECT \* FROM (\w+)", text)
    assert name
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET citus.override_table_visibility TO off")
        cursor.execute(f"SELECT count(*) FROM {name[1]}")
        rows = cursor.fetchone()[0]
    assert f">{rows}<" in text or rows == 0


def test_any_shard_of_a_group_leads_to_its_page(citus: Throwaway, page: Page) -> None:
    users, orders = (min(set().union(*placed(citus, t).values())) for t in ("users", "orders"))
    assert f"Shard group {users}" in page(f"{orders}/")


def test_a_shard_that_there_is_not_is_not_found(page: Page) -> None:
    page("1/", status=404)


def test_the_busiest_block_has_the_deepest_colour(citus: Throwaway, page: Page) -> None:
    page()  # the first look, which the next ones are compared with
    key = citus.value("SELECT id FROM users LIMIT 1")
    with closing(citus.coordinator.connect()) as connection, connection.cursor() as cursor:
        for _ in range(300):
            cursor.execute("SELECT name FROM users WHERE id = %s", [key])
    number = citus.value("SELECT get_shard_id_for_distribution_column('users', %s::uuid)", [key])
    assert eventually(lambda: f'id="block-{number}"' in _hottest(page()))


def _hottest(text: str) -> str:
    links = re.findall(r'<a href="/shards/\d+/" id="block-.*?</a>', text, re.DOTALL)
    return "".join(link for link in links if "heat-6" in link)


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    """Wait until something is so: PostgreSQL and Citus write their statistics down now and then."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.3)
    return True


def test_the_heaviest_users_are_named_by_their_ids(citus: Throwaway, page: Page) -> None:
    key = str(citus.value("SELECT id FROM users ORDER BY id LIMIT 1"))
    for _ in range(30):
        citus.sql(f"SELECT name FROM users WHERE id = '{key}'")
    number = citus.value("SELECT get_shard_id_for_distribution_column('users', %s::uuid)", [key])
    text = page()
    assert re.search(rf"<td[^>]*>{key}</td>.*?{number}</a>", text)


def test_names_and_addresses_are_never_shown(citus: Throwaway, page: Page) -> None:
    name = "email:user1@example.com"
    for _ in range(30):
        citus.sql(f"SELECT user_id FROM identities WHERE value = '{name}'")
    tenants = {t.key for r in _readings(citus) for t in r.tenants}
    assert name in tenants  # there is something to be kept back
    text = page(f"?group={group_of(citus, 'identities')}")
    assert "user1@example" not in html.unescape(text)
    assert "are not shown" in text


def _readings(citus: Throwaway) -> list[Any]:
    return [r for r in sampling.take(citus.dsn).readings.values() if not isinstance(r, str)]


@contextmanager
def held_up(citus: Throwaway, shard: int, source: str, target: str) -> Iterator[None]:
    """Let a move begin and not go on: it waits for a transaction that is open."""
    server = next(s for s in citus.servers if s.address == source)
    mover = threading.Thread(
        target=citus.sql,
        args=[
            "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s, 'force_logical')",
            [shard, *(part for node in (source, target) for part in _parts(node))],
        ],
    )
    with closing(server.connect()) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("SELECT txid_current()")
        try:
            mover.start()
            yield
        finally:
            connection.rollback()
            mover.join(60)
            assert not mover.is_alive()


def _parts(node: str) -> tuple[str, int]:
    host, port = node.split(":")
    return host, int(port)


def test_a_move_is_seen_while_it_happens(citus: Throwaway, page: Page) -> None:
    (source, shards), (target, _) = list(placed(citus, "users").items())[:2]
    number = min(shards)
    with held_up(citus, number, source, target):
        assert eventually(lambda: "<progress" in page("picture/"))
        text = page("picture/")
        move = re.search(r'<div class="move">.*?</div>', text, re.DOTALL)
        assert move
        for said in ("Move", str(number), source, target):
            assert said in move[0]
        shown = columns(text)
        assert 'class="ghost"' in shown[target]
        assert re.search(
            rf'id="block-{number}".*?class="block [^"]*moving', shown[source], re.DOTALL
        )
        assert "<progress" in page(f"{number}/")
    assert eventually(lambda: number in blocks(columns(page("picture/"))[target]))
    assert "<progress" not in page("picture/")


@pytest.fixture
def lost(citus: Throwaway) -> Iterator[Server]:
    """A worker that is stopped, and started again afterwards."""
    worker = citus.worker(2)
    worker.stop()
    yield worker
    worker.start()


def test_a_node_that_is_down_is_shown_with_what_is_known(
    citus: Throwaway, page: Page, lost: Server
) -> None:
    text = page()
    shown = columns(text)
    assert "does not answer" in shown[lost.address]
    assert "answers" in shown[citus.worker(1).address]
    assert "does not answer" not in shown[citus.worker(1).address]
    assert set(blocks(shown[lost.address])) == placed_by_catalogue(citus, lost)
    heights = [float(text) for text in HEIGHT.findall(shown[lost.address])]
    assert len(heights) == len(blocks(shown[lost.address]))
    assert min(heights) > 10  # large enough to be seen, though nobody knows how large they are
    assert re.search(rf'class="notice error">Node {lost.address}', text)
    number = min(blocks(shown[lost.address]))
    assert "does not answer" in page(f"{number}/")


def placed_by_catalogue(citus: Throwaway, server: Server) -> set[int]:
    rows = citus.sql(
        "SELECT shardid FROM pg_dist_shard_placement JOIN pg_dist_shard USING (shardid)"
        " WHERE nodeport = %s AND logicalrelid = 'users'::regclass",
        [server.port],
    )
    return {row.shardid for row in rows}


def test_a_node_that_hangs_keeps_nobody_waiting(citus: Throwaway, page: Page) -> None:
    worker = citus.worker(2)
    worker.freeze()
    try:
        began = time.monotonic()
        shown = columns(page())
        # Not how quick it is, but that it does not wait for the node to come back.
        assert time.monotonic() - began < 15
    finally:
        worker.thaw()
    assert "no answer within 2 s" in shown[worker.address]
    assert "✓" in shown[citus.worker(1).address]


def test_a_slow_node_is_not_called_dead_and_keeps_its_last_picture(
    citus: Throwaway, page: Page
) -> None:
    page()
    before, _ = views.current()
    name = citus.worker(1).address
    readings = {**before.readings, name: f"{name} did not answer within 2 s."}
    late = replace(before, at=before.at + 5, readings=readings).after(before)
    assert late.readings[name] == before.readings[name]
    (notice,) = notices(late, [])
    told = f"Node {name}: no answer within 2 s; its figures are 5 s old."
    assert (notice.kind, notice.text) == ("warning", told)
    again = replace(before, at=before.at + 9, readings=readings).after(late)
    assert again.slow == {name: before.at}
    lost = replace(before, at=before.at + 90, readings=readings).after(late)
    assert lost.slow == {name: None}
    down = replace(before, readings={**before.readings, name: f"{name} does not answer: refused."})
    assert down.after(before).slow == {}


def test_what_status_warns_of_is_said_here(citus: Throwaway, page: Page) -> None:
    citus.add(citus.spare())
    try:
        page()  # begins the inspection
        assert eventually(lambda: "holds no shards" in _with_findings(page))
        assert citus.spare().address in columns(page())
    finally:
        citus.sql("SELECT citus_remove_node('127.0.0.1', %s)", [citus.spare().port])


def _with_findings(page: Page) -> str:
    page()
    inspector = views._inspector
    eventually(lambda: bool(inspector._findings))
    return " ".join(finding.message for finding in inspector._findings)


def test_many_people_at_once_cost_the_cluster_one_look(citus: Throwaway, page: Page) -> None:
    page()
    with ThreadPoolExecutor(10) as pool:
        samples = {id(pool.submit(views.current).result()[0]) for _ in range(10)}
    assert len(samples) == 1
