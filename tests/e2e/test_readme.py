"""The README's purchase, pasted into a shell."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]


def purchase() -> str:
    """Return the commands as they stand there."""
    (block,) = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return str(block)


def test_the_purchase_of_the_readme_works_as_often_as_it_is_pasted(
    url: str, sam: httpx.Client, new_product: Callable[[int], int]
) -> None:
    # The cheapest, and so the one that is found: others may be sold out since they were published.
    cheapest = sam.patch(f"/api/products/{new_product(100)}/", json={"price": "1.00"})
    assert cheapest.status_code == 200, cheapest.text
    commands = purchase().replace("api=http://127.0.0.1:8080/api", f"api={url}/api")
    assert f"api={url}/api" in commands
    for _ in range(3):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (order,) = json.loads(done.stdout[done.stdout.rindex('{"next"') :])["results"]
        assert order["order_status"] in {"pending", "paid"}
