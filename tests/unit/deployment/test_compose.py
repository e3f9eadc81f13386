"""What docker-compose.yml promises of each of its services."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from db.local.configuration import GATEWAY_BEHAVIOUR
from db.remote.host import env_file
from shop.config.meanings import BY_THE_STACK, CHOSEN

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]

# A variable of the environment as compose writes it; "$$" is a dollar sign of the container's own.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z0-9_]+)(?P<rest>[^}]*)\}")
SECRET = re.compile(r"PASSWORD|SECRET|(GATEWAY|STRIPE_API)_KEY")

# Services that end, or that run only when they are called; they have nothing to be healthy.
ENDING = {name for name, service in SERVICES.items() if service["restart"] == "no"}

# What is allowed to miss a promise, and why. An exemption that is not needed fails as well.
WRITABLE: dict[str, str] = {}
OWN_INIT = {"haproxy": "its master looks after its own"}
FOR_EVERYBODY = {"haproxy": "the public front, where HTTP_BIND says so"}
# Images that name a user of their own, other than root (their makers' Dockerfiles).
USER_OF_THE_IMAGE = {
    "haproxy",
    "prom/prometheus",
    "prom/alertmanager",
    "grafana/grafana",
    "quay.io/prometheuscommunity/postgres-exporter",
    "oliver006/redis_exporter",
}
OWN_IMAGES = {
    "${APP_IMAGE:-shardmart/app}:${TAG:-local}": "src/Dockerfile",
    "${NODE_IMAGE:-shardmart/node}:${NODE_TAG:-local}": "db/containers/node/Dockerfile",
    "shardmart/tests:${TAG:-local}": "src/Dockerfile",
}

# Those of a single process: where beat, `smoke` and `make up` keep what is theirs.
OF_A_PROCESS = ("RUN_DIR", "MAILPIT_URL", "BEAT_SCHEDULE_FILE")
OF_THE_SANDBOX = (
    "GATEWAY_DUPLICATES",
    "GATEWAY_HANG_SECONDS",
    "GATEWAY_LATENCY_MS",
    "GATEWAY_LOSSES",
    "GATEWAY_WEBHOOK_SPREAD_MS",
)

each_service = pytest.mark.parametrize("name", SERVICES)


def variables() -> Iterator[tuple[str, str]]:
    """Yield each variable and what stands behind its name, e.g. `:-8080`."""
    code = re.sub(r"(^|\s)#.*", "", TEXT)
    for match in VARIABLE.finditer(code):
        yield match["name"], match["rest"]


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@each_service
def test_an_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    if image in OWN_IMAGES:
        return
    tag = image.rpartition(":")[2]
    assert re.search(r"\d+\.\d+\.\d+", tag), f"{image} is no exact version"


@pytest.mark.parametrize("path", sorted(set(OWN_IMAGES.values())))
def test_what_our_images_are_built_from_is_pinned_too(path: str) -> None:
    lines = (ROOT / path).read_text().splitlines()
    stages = {line.split()[-1] for line in lines if re.match(r"FROM .* AS ", line)}
    bases = {line.split()[1] for line in lines if line.startswith("FROM ")} - stages
    assert bases
    for base in bases:
        assert re.search(r":\d+\.\d+\.\d+", base), f"{base} is no exact version"


@pytest.mark.parametrize("path", sorted(set(OWN_IMAGES.values())))
def test_our_images_do_not_run_as_root(path: str) -> None:
    """A stage may be root on the way; whoever it ends as is who the image runs as."""
    stages = re.split(r"^FROM ", (ROOT / path).read_text(), flags=re.MULTILINE)[1:]
    named = [re.findall(r"^USER (\S+)$", stage, re.MULTILINE) for stage in stages]
    ends = {users[-1].partition(":")[0] for users in named if users}
    assert ends
    assert not ends & {"root", "0"}


@each_service
def test_nobody_is_root(name: str) -> None:
    service = SERVICES[name]
    user = str(service.get("user", ""))
    assert user.partition(":")[0] not in {"root", "0"}
    image = service["image"]
    assert user or image in OWN_IMAGES or image.partition(":")[0] in USER_OF_THE_IMAGE


@each_service
def test_a_service_has_a_health_check_unless_it_ends(name: str) -> None:
    service = SERVICES[name]
    if name in ENDING:
        assert "healthcheck" not in service
    else:
        check = service["healthcheck"]
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert {"interval", "timeout"} <= check.keys()
        assert "start_interval" not in check, "Engine 20.10 does not know it"


@each_service
def test_what_ends_is_waited_for_or_called(name: str) -> None:
    """`up --wait` takes a service that has ended for a failure, unless another one waits for it."""
    if name not in ENDING or "tools" in SERVICES[name].get("profiles", []):
        return
    conditions = [
        service["depends_on"][name]["condition"]
        for service in SERVICES.values()
        if name in service.get("depends_on", {})
    ]
    assert conditions
    assert set(conditions) == {"service_completed_successfully"}


@each_service
def test_a_service_is_limited_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] in {"unless-stopped", "no"}
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["pids_limit"] > 0
    # More than the machine has is refused, and a small one has one.
    assert service.get("cpus", 1) <= 1
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert not {"cap_add", "privileged", "pid", "ipc", "network_mode", "devices"} & service.keys()
    assert service["read_only"] is (name not in WRITABLE)
    assert service["init"] is (name not in OWN_INIT)
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@each_service
def test_only_the_public_front_may_be_reached_from_elsewhere(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    elsewhere = [port for port in ports if not port.startswith("127.0.0.1:")]
    assert bool(elsewhere) is (name in FOR_EVERYBODY)
    assert all(port.startswith("${HTTP_BIND:-127.0.0.1}:") for port in elsewhere)


@each_service
def test_what_comes_from_the_checkout_cannot_be_written(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        if volume.startswith((".", "$")):
            assert volume.endswith(":ro"), volume


@each_service
def test_a_tool_starts_nothing_else(name: str) -> None:
    """`docker compose run` would scale the workers to WORKERS, and renew what has changed."""
    service = SERVICES[name]
    if "profiles" in service:
        assert service["profiles"] == ["tools"]
        assert "depends_on" not in service


@each_service
def test_the_superuser_is_known_to_those_alone_who_set_up_the_cluster(name: str) -> None:
    knows = "POSTGRES_PASSWORD" in str(SERVICES[name].get("environment", ""))
    meant = {"coordinator", "worker", "prepare", "membership", "shardctl", "tests"}
    assert knows is (name in meant)


def test_there_is_no_password_in_the_file() -> None:
    for name, rest in variables():
        if SECRET.search(name) and name != "STRIPE_API_KEY":
            assert rest == ":?see .env.example", f"{name} has a default"
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if SECRET.search(key):
                assert VARIABLE.fullmatch(value), f"{key} is written out"
            assert not re.search(r"://\w*:(?!\$)[^@/]*@", str(value)), f"{key} has a password"


def passed_on() -> set[str]:
    """Return the variables that a service is given as .env has them, or not at all."""
    return {
        key
        for service in SERVICES.values()
        for key, value in service.get("environment", {}).items()
        if value is None
    }


def test_every_variable_is_explained_and_every_explained_one_is_used() -> None:
    assert {name for name, _ in variables()} == example().keys()


def test_what_is_passed_on_as_it_is_stands_in_a_document() -> None:
    pages = " ".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    assert {name for name in passed_on() if not re.search(rf"\b{name}\b", pages)} == set()


def test_every_setting_reaches_what_runs_the_application() -> None:
    given = SERVICES["app1"]["environment"]
    assert CHOSEN.keys() <= given.keys()
    assert BY_THE_STACK.keys() - given.keys() == {*OF_A_PROCESS}
    for name in CHOSEN:
        assert given[name] is None or f"${{{name}" in given[name], f"{name} cannot be chosen"


def test_the_sandbox_of_payments_can_be_told_how_to_behave() -> None:
    assert {*OF_THE_SANDBOX} == GATEWAY_BEHAVIOUR
    assert {*OF_THE_SANDBOX} <= SERVICES["gateway"]["environment"].keys()


def test_the_limits_of_an_address_can_be_chosen() -> None:
    given = SERVICES["haproxy"]["environment"]
    assert {"BALANCE", "CONNECTION_LIMIT", "LOG_REQUESTS", "QUEUE_LIMIT", "RATE_LIMIT"} <= {
        name for name, value in given.items() if value is None
    }


def test_nothing_is_set_up_before_the_names_of_the_env_file_were_looked_at() -> None:
    settings, prepare = SERVICES["settings"], SERVICES["prepare"]
    assert settings["env_file"] == [{"path": ".env", "required": False}]
    assert settings["environment"] == {}
    assert prepare["depends_on"]["settings"] == {"condition": "service_completed_successfully"}


def test_the_names_that_a_host_s_env_file_may_have_are_those_of_the_compose_file() -> None:
    known = env_file.known(TEXT)
    assert known == {name for name, _ in variables()} | passed_on()
    assert env_file.check_names(example(), known) == ""


def test_a_misspelt_name_is_refused_with_the_one_that_was_meant() -> None:
    complaint = env_file.check_names(["THROTLE_USER", "CURRENCY", "TAG"], env_file.known(TEXT))
    assert "THROTLE_USER (is it THROTTLE_USER?)" in complaint
    assert "CURRENCY" not in complaint


@pytest.mark.parametrize(("more", "code"), [({}, 0), ({"CURENCY": "EUR"}, 2)])
def test_the_service_settings_ends_well_with_known_names_alone(
    more: dict[str, str], code: int
) -> None:
    own = {"PATH": os.environ["PATH"], "HOSTNAME": "1", "HOME": "/", "https_proxy": "http://p:1"}
    done = subprocess.run(
        [sys.executable, "-m", "db.containers", "settings"],
        cwd=ROOT,
        env=own | example() | more,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, ("CURENCY" in done.stderr)) == (code, bool(more)), done.stderr


def test_a_default_is_the_example_s() -> None:
    """Whoever leaves a variable out of .env gets what .env.example says."""
    found = {(name, rest) for name, rest in variables() if not rest.startswith((":?", ":+"))}
    for name, rest in found - {("TLS_CERTIFICATE", ":-/dev/null")}:
        assert rest.removeprefix(":").removeprefix("-") == example()[name].strip('"'), name


def test_addresses_that_are_fixed_are_out_of_reach_of_the_others() -> None:
    fixed = {
        name: service["networks"]["cluster"]["ipv4_address"]
        for name, service in SERVICES.items()
        if isinstance(service["networks"], dict)
    }
    prefix = "${SUBNET_PREFIX:-10.89.0}"
    assert fixed == {"haproxy": f"{prefix}.250", "app1": f"{prefix}.11", "app2": f"{prefix}.12"}
    (network,) = DOCUMENT["networks"]["cluster"]["ipam"]["config"]
    assert network == {"subnet": f"{prefix}.0/24", "ip_range": f"{prefix}.64/26"}
    environment = SERVICES["haproxy"]["environment"]
    assert environment["APP1"] == f"{fixed['app1']}:8000"
    assert environment["APP2"] == f"{fixed['app2']}:8000"
    assert SERVICES["app1"]["environment"]["TRUSTED_PROXIES"] == fixed["haproxy"]


def test_every_volume_is_used_and_named() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    named = {volume for volume in mounted if not volume.startswith((".", "/", "$"))}
    assert named == DOCUMENT["volumes"].keys()


class TestMakingAnEnvFile:
    """`make env`."""

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text())
        return tmp_path

    def make(self, directory: Path) -> subprocess.CompletedProcess[str]:
        command = [ROOT / "db/containers/make-env.sh", directory]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    def test_every_secret_is_random_and_the_rest_stays(self, directory: Path) -> None:
        assert self.make(directory).returncode == 0
        lines = (directory / ".env").read_text().splitlines()
        made = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        secrets = [name for name, value in example().items() if value.startswith("change-me")]
        assert made.keys() == example().keys()
        assert len({made[name] for name in secrets}) == len(secrets)
        assert all(re.fullmatch("[0-9a-f]{64}", made[name]) for name in secrets)
        assert {name: value for name, value in made.items() if name not in secrets} == {
            name: value for name, value in example().items() if name not in secrets
        }

    def test_it_is_private_and_nothing_else_is_left(self, directory: Path) -> None:
        self.make(directory)
        assert (directory / ".env").stat().st_mode & 0o777 == 0o600
        assert {path.name for path in directory.iterdir()} == {".env", ".env.example"}

    def test_one_that_is_there_stays(self, directory: Path) -> None:
        (directory / ".env").write_text("POSTGRES_PASSWORD=in use\n")
        refused = self.make(directory)
        assert refused.returncode == 1
        assert "is there already" in refused.stderr
        assert (directory / ".env").read_text() == "POSTGRES_PASSWORD=in use\n"

    def test_without_an_example_nothing_is_made(self, tmp_path: Path) -> None:
        refused = self.make(tmp_path)
        assert refused.returncode == 1
        assert ".env.example is not there" in refused.stderr
        assert list(tmp_path.iterdir()) == []
