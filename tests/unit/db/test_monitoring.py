"""What the monitoring of a stack consists of, and who it asks."""

import os
from pathlib import Path

import pytest
import yaml

from db.local import monitoring, monitoring_files, monitoring_ports, programs, software
from db.local.account import Account
from db.local.errors import InvalidVariable, StackError
from db.local.layout import Layout
from db.local.secrets_file import Secrets
from db.local.settings import Settings, choose, monitoring_wish

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    base = tmp_path / "100% mine"
    (base / "conf").mkdir(parents=True)
    return Layout(checkout=ROOT, link=base, base=base)


def made(*, stack: str = "local", monitoring: bool = True, **chosen: str) -> Settings:
    return choose(
        chosen, stack=stack, citus=True, pg_major="15", before=None, monitoring=monitoring
    )


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "find", lambda program: f"/usr/bin/{program}")


@pytest.mark.usefixtures("_installed")
def test_every_program_of_the_monitoring_has_a_port_and_a_probe(layout: Layout) -> None:
    settings = made(WORKERS="3")
    names = {program.name for program in monitoring.all_programs(settings, layout)}
    assert names == {probe.program for probe in monitoring.probes(settings)}
    used = {port.program for port in monitoring_ports.used(settings)}
    assert used == names | set(monitoring_ports.WORKERS)


@pytest.mark.usefixtures("_installed")
def test_a_target_is_called_as_its_program(layout: Layout) -> None:
    settings = made()
    known = {port.program for port in settings.ports()} | {"pgbouncer-exporter"}
    named = {
        labels["instance"].replace("postgres-", "postgres-exporter-", 1)
        if job == "postgres"
        else labels["instance"]
        for job, entries in monitoring_files.targets(settings).items()
        for _, labels in entries
    }
    assert named <= known


def test_each_job_that_prometheus_knows_has_its_targets() -> None:
    read = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"] for job in read["scrape_configs"]}
    assert jobs == monitoring_files.targets(made()).keys()
    for job in read["scrape_configs"]:
        assert job["file_sd_configs"] == [{"files": [f"targets/{job['job_name']}.yml"]}]


def test_a_node_is_called_as_in_pg_dist_node() -> None:
    for job in ("postgres", "pgbouncer"):
        nodes = [labels["node"] for _, labels in monitoring_files.targets(made())[job]]
        assert nodes == ["127.0.0.1:5500", "127.0.0.1:5501", "127.0.0.1:5502"]


def test_the_workers_with_figures_are_the_workers_there_are() -> None:
    assert monitoring_ports.WORKERS.keys() == programs.WORKER_QUEUES.keys()


def test_without_monitoring_only_the_workers_ports_are_used(layout: Layout) -> None:
    settings = made(monitoring=False)
    assert monitoring.all_programs(settings, layout) == []
    assert monitoring.probes(settings) == []
    assert {p.program for p in monitoring_ports.used(settings)} == set(monitoring_ports.WORKERS)


def test_only_the_test_stack_is_in_a_hurry(layout: Layout) -> None:
    account = Account(name="me", uid=os.geteuid(), gid=os.getegid())
    for stack, every, patience in (("local", "5s", "for: 5m"), ("test", "1s", "for: 5s")):
        monitoring_files.write_all(made(stack=stack), Secrets(), layout, account)
        conf = layout.conf / "prometheus"
        read = yaml.safe_load((conf / "prometheus.yml").read_text())
        assert read["global"]["scrape_interval"] == every
        assert patience in (conf / "rules/edge.yml").read_text()
    assert (layout.conf / "monitor.password").stat().st_mode & 0o777 == 0o600


def test_targets_are_replaced_in_the_directory_that_prometheus_watches(layout: Layout) -> None:
    account = Account(name="me", uid=os.geteuid(), gid=os.getegid())
    directory = layout.conf / "prometheus/targets"
    monitoring_files.write_all(made(), Secrets(), layout, account)
    before = directory.stat().st_ino
    monitoring_files.write_all(made(WORKERS="3"), Secrets(), layout, account)
    assert directory.stat().st_ino == before
    assert "postgres-worker3" in (directory / "postgres.yml").read_text()
    assert not list(directory.glob("*.new"))


def test_monitoring_is_on_where_its_programs_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software.shutil, "which", lambda name, path: f"/usr/bin/{name}")
    assert software.has_monitoring("auto")
    assert not software.has_monitoring("off")
    monkeypatch.setattr(
        software.shutil, "which", lambda name, path: None if "redis" in name else name
    )
    assert not software.has_monitoring("auto")
    with pytest.raises(StackError, match="prometheus-redis-exporter is not installed"):
        software.has_monitoring("on")


def test_the_wish_is_remembered_until_another_is_said() -> None:
    before = made(MONITORING="off")
    assert monitoring_wish({}, before) == "off"
    assert monitoring_wish({"MONITORING": "auto"}, before) == "auto"
    assert monitoring_wish({}, None) == "auto"
    with pytest.raises(InvalidVariable, match="MONITORING=maybe"):
        monitoring_wish({"MONITORING": "maybe"}, before)
