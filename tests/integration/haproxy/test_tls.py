"""With a certificate HAProxy speaks TLS, and sends there whoever comes without."""

import socket
import ssl
from pathlib import Path

import httpx
import pytest

from tests.edge import App, Edge, certificate
from tests.integration.haproxy.conftest import StartEdge, asked


@pytest.fixture
def tls(start_edge: StartEdge, tmp_path: Path) -> Edge:
    """HAProxy with a certificate signed by itself."""
    return start_edge(TLS_CERTIFICATE=str(certificate(tmp_path)))


@pytest.fixture
def trust(tls: Edge) -> ssl.SSLContext:
    """What a client needs to believe it."""
    return ssl.create_default_context(cafile=tls.variables["TLS_CERTIFICATE"])


def test_the_app_learns_that_the_client_came_by_tls(
    tls: Edge, trust: ssl.SSLContext, apps: list[App]
) -> None:
    # Were it told "http", it would redirect to https, for ever.
    claim = {"X-Forwarded-Proto": "http"}
    answer = httpx.get(f"{tls.https}/api/cart/", verify=trust, headers=claim)
    assert answer.status_code == 200
    [request] = [one for app in apps for one in app.asked]
    assert request.headers["x-forwarded-proto"] == ["https"]
    assert request.headers["x-forwarded-for"] == ["127.0.0.1"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_comes_without_tls_is_sent_there_with_method_and_query(
    tls: Edge, trust: ssl.SSLContext, apps: list[App], method: str
) -> None:
    answer = httpx.request(method, f"{tls.url}/api/orders/?a=b%20c")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{tls.https}/api/orders/?a=b%20c"
    assert asked(apps) == []
    with httpx.Client(verify=trust, follow_redirects=True) as client:
        assert client.request(method, f"{tls.url}/api/users/").json()["server"]


def test_health_is_asked_from_inside_without_tls(tls: Edge) -> None:
    assert httpx.get(f"{tls.url}/health/ready").status_code == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_http_2_is_spoken_and_what_is_older_than_tls_1_2_is_not(
    tls: Edge, trust: ssl.SSLContext
) -> None:
    trust.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", tls.https_port)) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert (secure.selected_alpn_protocol(), secure.version()) == ("h2", "TLSv1.3")
    old = ssl.create_default_context(cafile=tls.variables["TLS_CERTIFICATE"])
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", tls.https_port)) as plain,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(plain, server_hostname="localhost")


def test_without_a_certificate_there_is_no_tls_and_no_redirect(edge: Edge) -> None:
    assert httpx.get(f"{edge.url}/api/cart/").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(edge.https, verify=False)
