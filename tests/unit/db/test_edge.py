"""What can be chosen about HAProxy, and what is refused."""

import os
import subprocess
from pathlib import Path

import pytest

from db.local import configuration, edge, environment, rolling
from db.local.edge import Edge
from db.local.errors import InvalidVariable, StackError
from db.local.layout import Layout
from db.local.secrets_file import Secrets
from db.local.settings import Settings, choose, load
from tests.edge import certificate


def made(**variables: str) -> Settings:
    return choose(variables, stack="local", citus=True, pg_major="15", before=None)


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("RATE_LIMIT", "many", "RATE_LIMIT=many is not a number: choose one from 1 to"),
        ("RATE_LIMIT", "0", "RATE_LIMIT=0 is out of range"),
        ("QUEUE_LIMIT", "-1", "QUEUE_LIMIT=-1 is not a number"),
        ("BALANCE", "fastest", "choose leastconn, random.2. or roundrobin"),
        ("BALANCE", "leastconn' evil '", "BALANCE="),
        ("LOG_REQUESTS", "yes", "choose on or off"),
        ("TLS_CERTIFICATE", "/nowhere/tls.pem", "there is no such file"),
        ("TLS_CERTIFICATE", __file__, "one PEM file with the certificate, its chain and its key"),
        ("HTTPS_PORT", "443", "HTTPS_PORT=443 is out of range"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_what_can(
    variable: str, value: str, complaint: str
) -> None:
    with pytest.raises(InvalidVariable, match=complaint):
        made(**{variable: value})


def test_a_key_with_a_password_is_refused(tmp_path: Path) -> None:
    plain = certificate(tmp_path)
    locked = tmp_path / "locked.pem"
    command = ["openssl", "rsa", "-aes256", "-passout", "pass:secret"]
    files = ["-in", tmp_path / "key.pem", "-out", locked]
    subprocess.run([*command, *files], check=True, capture_output=True)
    locked.write_text((tmp_path / "certificate.pem").read_text() + locked.read_text())
    assert made(TLS_CERTIFICATE=str(plain)).edge.tls_certificate == str(plain)
    with pytest.raises(InvalidVariable, match="has a password"):
        made(TLS_CERTIFICATE=str(locked))


def test_what_was_chosen_is_remembered_until_something_else_is(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    first = made(RATE_LIMIT="60", TLS_CERTIFICATE=str(path))
    first.save(tmp_path / "stack.json")
    before = load(tmp_path / "stack.json")
    assert before == first
    assert before is not None
    again = choose({}, stack="local", citus=True, pg_major="15", before=before)
    assert again.edge == first.edge
    off = choose({"TLS_CERTIFICATE": ""}, stack="local", citus=True, pg_major="15", before=before)
    assert off.edge == Edge(rate_limit=60)


def test_the_defaults_are_those_of_haproxy_cfg() -> None:
    cfg = (configuration.HAPROXY / "haproxy.cfg").read_text()
    presets = dict(
        line.split()[1:3] for line in cfg.splitlines() if line.strip().startswith("presetenv")
    )
    chosen = edge.choose({}, before=None)
    assert int(presets["RATE_LIMIT"]) == chosen.rate_limit
    assert int(presets["CONNECTION_LIMIT"]) == chosen.connection_limit
    assert int(presets["QUEUE_LIMIT"]) == chosen.queue_limit
    assert presets["BALANCE"] == chosen.balance
    assert presets["LOG_REQUESTS"] == chosen.log_requests
    assert int(presets["SERVER_MAXCONN"]) == made().server_maxconn


def test_haproxy_takes_what_was_chosen_also_where_paths_are_awkward(tmp_path: Path) -> None:
    base = tmp_path / "100% mine" / "local"
    layout = Layout(checkout=tmp_path, link=base, base=base)
    settings = made(BALANCE="random(2)", TLS_CERTIFICATE=str(certificate(tmp_path)))
    files = configuration.haproxy_path(layout).parent
    files.mkdir(parents=True)
    configuration.haproxy_variables_path(layout).write_text(
        configuration.haproxy_variables(settings, layout)
    )
    configuration.haproxy_certificate_path(layout).write_text((tmp_path / "tls.pem").read_text())
    for name in ("haproxy.cfg", "errors"):
        (files / name).symlink_to(configuration.HAPROXY / name)
    done = subprocess.run(
        ["haproxy", "-c", *configuration.haproxy_options(layout)],
        env={"PATH": f"{os.environ['PATH']}:/usr/sbin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_with_tls_the_application_knows_and_the_gateway_goes_around(tmp_path: Path) -> None:
    base = tmp_path / "local"
    layout = Layout(checkout=tmp_path, link=base, base=base)
    settings = made(TLS_CERTIFICATE=str(certificate(tmp_path)))
    env = environment.variables(settings, Secrets(), layout)
    assert env["PUBLIC_URL"] == "https://127.0.0.1:8443"
    assert env["TLS_IN_FRONT"] == "true"
    assert configuration.webhook_address(settings).startswith("http://127.0.0.1:8001/")
    env = environment.variables(made(), Secrets(), layout)
    assert (env["PUBLIC_URL"], env["TLS_IN_FRONT"]) == ("http://127.0.0.1:8080", "false")


def test_a_deployment_does_not_restart_what_every_request_needs() -> None:
    rolling.refuse_interruption({"app1", "worker", "gateway"})
    with pytest.raises(StackError, match=r"pgbouncer-worker1, redis .*`make up` does it"):
        rolling.refuse_interruption({"app1", "redis", "pgbouncer-worker1"})
