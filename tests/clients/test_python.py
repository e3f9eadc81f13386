"""openapi-python-client makes a client of the document that leaves nothing out, and it works.

The journey it plays is `journey.py`; mypy reads it in strict mode together with what was generated.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application

from tests.conftest import MakeProduct

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/openapi.yaml"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory that the generated package lies in; it can be imported."""
    place = tmp_path_factory.mktemp("generated")
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--config", HERE / "generator.yaml", "--path", DOCUMENT),
            *("--output-path", place / "shardmart_client", "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(place))
    yield place
    sys.path.remove(str(place))
    for name in [name for name in sys.modules if name.startswith("shardmart_client")]:
        del sys.modules[name]


@pytest.mark.django_db(transaction=True)
def test_the_generated_client_plays_the_journey_typed_errors_included(
    generated: Path, make_product: MakeProduct
) -> None:
    client: Any = import_module("shardmart_client")
    ours = {"transport": httpx.WSGITransport(app=get_wsgi_application())}
    to_us = {"base_url": "http://testserver", "httpx_args": ours}
    bought, scarce = make_product("Waves", stock=10), make_product("Flush", stock=3)
    import_module("tests.clients.journey").play(
        client.Client(**to_us),
        lambda access: client.AuthenticatedClient(token=access, **to_us),
        product_id=bought.id,
        scarce_id=scarce.id,
    )


def test_the_journey_is_typed_throughout(generated: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    paths = ["--cache-dir", tmp_path, "--follow-imports=silent", HERE / "journey.py"]
    read = subprocess.run(
        [*command, *paths],
        cwd=tmp_path,
        env={"MYPYPATH": str(generated), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (read.returncode, read.stdout + read.stderr) == (0, "")
