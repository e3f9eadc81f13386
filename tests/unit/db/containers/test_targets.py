"""Whom Prometheus asks in the composed cluster."""

import re
from pathlib import Path

import yaml

from db.cluster.servers import Server
from db.containers import targets
from monitoring.pgbouncer_exporter import known_from

ROOT = Path(__file__).resolve().parents[4]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
COORDINATOR, WORKER = Server("coordinator", 5432), Server("shardmart-worker-1", 5432)


def test_each_job_that_prometheus_knows_has_its_targets() -> None:
    read = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"] for job in read["scrape_configs"]}
    assert jobs == targets.targets([COORDINATOR]).keys()


def test_whoever_is_asked_is_a_service_and_answers_there() -> None:
    """By the address that its environment, its command or its health check names."""
    for job, entries in targets.targets([COORDINATOR, WORKER]).items():
        for address, _ in entries:
            service, _, port = address.partition(":")
            assert service in COMPOSE, job
            spoken = " ".join(
                str(COMPOSE[service].get(key, ""))
                for key in ("environment", "command", "healthcheck", "ports")
            )
            assert re.search(rf"\b{port}\b", spoken), f"{address} of {job}"


def test_a_node_is_called_as_in_pg_dist_node_and_asked_by_its_exporter() -> None:
    found = targets.targets([COORDINATOR, WORKER])
    for job in ("postgres", "pgbouncer"):
        assert [labels["node"] for _, labels in found[job]] == [str(COORDINATOR), str(WORKER)]
    address, labels = found["postgres"][1]
    assert address == "postgres-exporter:9187"
    assert labels["__metrics_path__"] == "/probe"
    assert labels["__param_target"] == "shardmart-worker-1:5432/shardmart"


def test_the_exporter_of_the_poolers_finds_each_path_that_prometheus_asks_for(
    tmp_path: Path,
) -> None:
    targets.write([WORKER, COORDINATOR], tmp_path)
    poolers = known_from({"POOLERS_FILE": str(tmp_path / "poolers")})()
    asked = yaml.safe_load((tmp_path / "prometheus/targets/pgbouncer.yml").read_text())
    assert [f"/metrics/{name}" for name in poolers] == [
        entry["labels"]["__metrics_path__"] for entry in asked
    ]
    offset = COMPOSE["app1"]["environment"]["DATABASE_POOLER_PORT_OFFSET"]
    assert poolers["coordinator"].split()[:2] == ["host=coordinator", f"port={5432 + int(offset)}"]


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    targets.write([COORDINATOR], tmp_path)
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*.yml")}
    targets.write([COORDINATOR], tmp_path)
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*.yml")} == before
    targets.write([COORDINATOR, WORKER], tmp_path)
    changed = {path.stem for path, node in before.items() if path.stat().st_ino != node}
    assert changed == {"postgres", "pgbouncer"}
    assert not list(tmp_path.rglob("*.new"))
