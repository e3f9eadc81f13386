"""What strangers' headers and bodies come to behind HAProxy, and straight at gunicorn."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.edge import ROOT, STARTS_WITHIN, free_ports, haproxy, wait_until
from tests.integration.core.assertions import assert_problem
from tests.native import native

WAYS = ("edge", "gunicorn")


@pytest.fixture(scope="module")
@native("starts HAProxy and gunicorn")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where the shop answers: through the edge, and by itself. No store is there."""
    directory = tmp_path_factory.mktemp("served")
    [port] = free_ports(1)
    address, log = f"127.0.0.1:{port}", directory / "gunicorn.log"
    with log.open("wb") as output, subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "db/local/gunicorn_conf.py"),
         "tests.integration.haproxy.served:application"],
        env=_environment(address), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
    ) as server:  # fmt: skip
        try:
            wait_until(lambda: _is_ready(f"http://{address}"), log, seconds=4 * STARTS_WITHIN)
            with haproxy(directory, [address]) as edge:
                wait_until(lambda: _is_ready(edge.url), edge.log)
                yield {"edge": edge.url, "gunicorn": f"http://{address}"}
        finally:
            server.terminate()


def _environment(address: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "SHARDMART_ENV_FILE": str(ROOT / "tests/offline.env"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "APP_BIND": address,
        "APP_WORKERS": "1",
        "APP_THREADS": "4",
    }


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("way", WAYS)
def test_a_body_without_a_length_is_read(ways: dict[str, str], way: str) -> None:
    """What is missing is the rest alone: the name, in two chunks, was read."""
    answer = httpx.post(
        f"{ways[way]}/api/auth/register/",
        content=iter([b'{"user', b'name": "ana"}']),
        headers={"Content-Type": "application/json"},
    )
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    assert_problem(answer, 400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["email", "password"]


@pytest.mark.parametrize("way", WAYS)
def test_a_body_without_a_length_is_refused_beyond_the_limit(
    ways: dict[str, str], way: str
) -> None:
    answer = httpx.post(
        f"{ways[way]}/api/auth/login/",
        content=(b" " * 65536 for _ in range(17)),
        headers={"Content-Type": "application/json"},
    )
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"SCRIPT_NAME": "/x"},
        {"PATH_INFO": "/metrics"},
        {"script_name": "/x", "X-Forwarded-For": ""},
        {"Connection": "X-Forwarded-For"},
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/x/metrics", "/%6detrics"])
def test_no_header_opens_the_figures_at_the_edge(
    ways: dict[str, str], path: str, headers: dict[str, str]
) -> None:
    answer = httpx.get(f"{ways['edge']}{path}", headers=headers)
    assert_problem(answer, 404, "not_found")


def test_the_figures_are_there_for_whoever_is_inside(ways: dict[str, str]) -> None:
    assert "shardmart_" in httpx.get(f"{ways['gunicorn']}/metrics").text
    for headers in ({"SCRIPT_NAME": "/x"}, {"X-Forwarded-For": "203.0.113.9"}):
        path = "/x/metrics" if "SCRIPT_NAME" in headers else "/metrics"
        assert httpx.get(f"{ways['gunicorn']}{path}", headers=headers).status_code == 404


@pytest.mark.parametrize("name", ["X-Forwarded-Ssl", "X-Forwarded-Protocol", "X-Forwarded-Proto"])
def test_a_scheme_that_a_client_claims_is_no_contradiction(ways: dict[str, str], name: str) -> None:
    answer = httpx.get(f"{ways['edge']}/api/none/", headers={name: "on"})
    assert_problem(answer, 404, "not_found")
