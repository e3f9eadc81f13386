"""The configuration files that are written for the servers."""

import configparser
import json
import os
import re
from pathlib import Path

import pytest

from db.local import configuration, environment, programs, supervisor
from db.local.account import Account
from db.local.layout import Layout
from db.local.secrets_file import Secrets, load_or_make
from db.local.settings import Settings, choose

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    # A path that is awkward for every format it is written into.
    base = tmp_path / "100% mine" / "local"
    base.mkdir(parents=True)
    return Layout(checkout=ROOT, link=base, base=base)


def made(*, stack: str = "local", citus: bool = True) -> Settings:
    return choose({}, stack=stack, citus=citus, pg_major="15", before=None)


def option(conf: str, name: str) -> str:
    found = re.findall(rf"^{re.escape(name)} = '?([^'\n]*)'?$", conf, re.MULTILINE)
    return str(found[-1])


def test_citus_is_loaded_first_and_only_where_it_is() -> None:
    with_citus, without = made(), made(citus=False)
    conf = configuration.postgresql_conf(with_citus.nodes[0], with_citus)
    assert option(conf, "shared_preload_libraries") == "citus,pg_stat_statements"
    conf = configuration.postgresql_conf(without.nodes[0], without)
    assert option(conf, "shared_preload_libraries") == "pg_stat_statements"
    assert "citus." not in re.sub(r"#.*", "", conf)


def test_servers_listen_on_loopback_alone() -> None:
    settings = made()
    for node in settings.nodes:
        conf = configuration.postgresql_conf(node, settings)
        assert option(conf, "listen_addresses") == "127.0.0.1"
        assert option(conf, "port") == str(node.pg_port)
        assert "listen_addr = 127.0.0.1\n" in configuration.pgbouncer_ini(node, Path("/x"))


def test_the_connections_of_all_nodes_fit_into_each_node() -> None:
    settings = choose({"WORKERS": "8"}, stack="local", citus=True, pg_major="15", before=None)
    conf = configuration.postgresql_conf(settings.nodes[0], settings)
    connections = int(option(conf, "max_connections"))
    clients = int(option(conf, "citus.max_client_connections"))
    shared = int(option(conf, "citus.max_shared_pool_size"))
    assert clients * len(settings.nodes) < connections
    assert clients <= shared <= connections - clients


def test_the_pool_leaves_room_below_the_limit_for_clients() -> None:
    settings = made()
    pool = configparser.ConfigParser(comment_prefixes=(";",), interpolation=None)
    pool.read_string(configuration.pgbouncer_ini(settings.nodes[0], Path("/x")))
    section = pool["pgbouncer"]
    conf = configuration.postgresql_conf(settings.nodes[0], settings)
    most = int(section["default_pool_size"]) + int(section["reserve_pool_size"])
    assert most < int(option(conf, "citus.max_client_connections"))


def test_only_the_test_stack_skips_fsync() -> None:
    local, test = made(), made(stack="test")
    assert "fsync" not in configuration.postgresql_conf(local.nodes[0], local)
    assert option(configuration.postgresql_conf(test.nodes[0], test), "fsync") == "off"


def test_supervisord_reads_back_what_was_written(layout: Layout) -> None:
    settings = made()
    account = Account(name="somebody", uid=os.geteuid() + 1, gid=0)
    everything = [
        *(programs.postgres(node, layout, Path("/bin")) for node in settings.nodes),
        programs.app_server(1, settings, layout),
    ]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(supervisor.configuration(everything, layout, account))
    node = parser["program:postgres-worker1"]
    assert node["user"] == "somebody"
    assert node["autostart"] == "false"
    assert "100%% mine" in node["command"]
    # The checkout may be closed to the other account.
    assert "user" not in parser["program:app1"]
    assert parser["unix_http_server"]["chmod"] == "0700"


def test_a_changed_configuration_changes_the_programs_digest(layout: Layout) -> None:
    node = made().nodes[0]
    data = layout.node_data(node.name)
    data.mkdir(parents=True)
    (data / "postgresql.conf").write_text("port = 1")
    before = programs.postgres(node, layout, Path("/bin"))
    assert programs.postgres(node, layout, Path("/bin")) == before
    (data / "postgresql.conf").write_text("port = 2")
    assert programs.postgres(node, layout, Path("/bin")).digest != before.digest


def test_the_environment_tells_how_far_a_pooler_is_from_its_node(layout: Layout) -> None:
    env = environment.variables(made(), Secrets(), layout)
    assert env["DATABASE_URL"].endswith("@127.0.0.1:6500/shardmart")
    assert env["DATABASE_POOLER_PORT_OFFSET"] == "1000"
    for node in made().nodes:
        assert node.pool_port == node.pg_port + 1000
    assert env["DATABASE_DIRECT_URL"].startswith("postgresql://shardmart_owner:")
    assert env["DATABASE_ADMIN_URL"].endswith("@127.0.0.1:5500/postgres")


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first = load_or_make(tmp_path / "secrets.json")
    assert load_or_make(tmp_path / "secrets.json") == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len({first.postgres, first.shardmart_owner, first.shardmart_app}) == 3


def test_a_secret_that_an_older_stack_lacks_is_made_once_and_the_others_stay(
    tmp_path: Path,
) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_make(path)
    older = json.loads(path.read_text())
    del older["payment_webhook_secret"]
    path.write_text(json.dumps(older))
    second = load_or_make(path)
    assert second.payment_webhook_secret != first.payment_webhook_secret
    assert (second.postgres, second.secret_key) == (first.postgres, first.secret_key)
    assert load_or_make(path) == second


@pytest.mark.parametrize("path", sorted((ROOT / "haproxy/errors").glob("*.json")), ids=str)
def test_haproxys_own_errors_are_problems_with_a_code(path: Path) -> None:
    problem = json.loads(path.read_text())
    assert problem["status"] == int(path.stem)
    assert {"type", "title", "detail", "code"} <= set(problem)
    assert f"file errors/{path.name}" in (ROOT / "haproxy/haproxy.cfg").read_text()
