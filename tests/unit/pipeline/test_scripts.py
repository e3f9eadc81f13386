"""The smaller scripts: names of images, keys of hosts, and what is refused before it is begun."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.pipeline.conftest import Fake, Run

COMMIT = "0123456789ab" + 28 * "0"
REGISTRY = {"APP_IMAGE": "ghcr.io/ana/shop/app", "NODE_IMAGE": "ghcr.io/ana/shop/node"}


def test_images_are_named_after_the_repository_in_lower_case(run: Run) -> None:
    done = run("image-names.sh", GITHUB_REPOSITORY="Ana/Shop.Mart", GITHUB_SHA=COMMIT)
    assert done.stdout.splitlines() == [
        "APP_IMAGE=ghcr.io/ana/shop.mart/app",
        "NODE_IMAGE=ghcr.io/ana/shop.mart/node",
        "TAG=0123456789ab",
    ]


@pytest.mark.parametrize(
    ("repository", "commit"), [("", COMMIT), ("shop", COMMIT), ("ana/shop", "main")]
)
def test_without_repository_or_commit_nothing_is_named(
    repository: str, commit: str, run: Run
) -> None:
    done = run("image-names.sh", GITHUB_REPOSITORY=repository, GITHUB_SHA=commit)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A private key, as a secret holds it: without the last newline, with Windows' line ends."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (openssh-client): no key can be made")
    path = tmp_path / "made"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)
    return path.read_text().strip().replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("deploy@shop.example", "shop.example"),
        ("shop.example", "shop.example"),
        ("ssh://deploy@shop.example:2222", "[shop.example]:2222"),
        ("deploy@192.0.2.7:2222", "[192.0.2.7]:2222"),
    ],
)
def test_a_key_is_laid_out_for_a_known_host_alone(
    host: str, known: str, key: str, run: Run, tmp_path: Path
) -> None:
    public = (tmp_path / "made.pub").read_text()
    variables = {"SSH_KEY": key, "SSH_KNOWN_HOSTS": f"{known} {public}", "HOST": host}
    done = run("ssh-key.sh", str(tmp_path / "ssh"), **variables)
    assert done.returncode == 0, done.stderr
    assert "-o StrictHostKeyChecking=yes" in done.stdout
    assert (tmp_path / "ssh/key").stat().st_mode & 0o777 == 0o600
    variables["HOST"] = "elsewhere.example"
    done = run("ssh-key.sh", str(tmp_path / "ssh"), **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert "SSH_KNOWN_HOSTS does not know elsewhere.example" in done.stderr


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("missing", ["SSH_KEY", "SSH_KNOWN_HOSTS", "HOST"])
def test_a_secret_that_is_not_set_is_named(missing: str, run: Run, tmp_path: Path) -> None:
    variables = {"SSH_KEY": "x", "SSH_KNOWN_HOSTS": "x", "HOST": "x", missing: ""}
    done = run("ssh-key.sh", str(tmp_path / "ssh"), **variables)
    assert done.returncode == 2
    assert f"{missing} is empty" in done.stderr


@pytest.mark.usefixtures("key")
def test_what_is_no_key_is_refused_before_it_is_tried(run: Run, tmp_path: Path) -> None:
    done = run("ssh-key.sh", str(tmp_path), SSH_KEY="x", SSH_KNOWN_HOSTS="a b", HOST="a")
    assert done.returncode == 2
    assert "SSH_KEY is no private key" in done.stderr


SHIPPED = [(0, "done"), (1, "nothing was changed"), (2, "rolled back"), (3, "somebody has to look")]


@pytest.mark.parametrize(("code", "told"), SHIPPED)
def test_a_deploying_job_ends_as_the_deployment_does(
    code: int, told: str, key: str, run: Run, checkout: Path, tmp_path: Path
) -> None:
    deploy = checkout / ".github/scripts/deploy.sh"
    deploy.write_text(f'#!/bin/bash\necho "$1 $TAG $SSH_OPTIONS, key: ${{SSH_KEY:-}}"\nexit {code}')
    deploy.chmod(0o755)
    known = f"shop.example {(tmp_path / 'made.pub').read_text()}"
    done = run(
        "ship.sh",
        "deploy",
        SSH_KEY=key,
        SSH_KNOWN_HOSTS=known,
        HOST="shop.example",
        ENV="staging",
        TAG="0123456789ab",
        WANTED_TAG="v1.2.0",
        RUNNER_TEMP=str(tmp_path),
    )
    assert done.returncode == code, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("deploy v1.2.0 -i ")
    assert first.endswith(", key: ")  # in its file, and no longer in the environment
    assert last.startswith("deploy of `v1.2.0` at staging: ")
    assert told in last
    assert list(tmp_path.glob("ssh.*")) == []


@pytest.mark.parametrize("action", ["", "destroy"])
def test_another_action_changes_nothing(action: str, run: Run) -> None:
    done = run("ship.sh", action)
    assert done.returncode == 1
    assert "is no action" in done.stderr


@pytest.mark.parametrize(
    ("script", "arguments", "variables", "complaint"),
    [
        ("load-test.sh", ["127.0.0.1:8080"], {}, "is no address of a shop"),
        ("load-test.sh", ["http://a/api/"], {}, "is no address of a shop"),
        ("load-test.sh", [], {"LOAD_USERS": "many"}, "many is not a number"),
        ("load-test.sh", [], {"LOAD_SECONDS": "0"}, "0 is not a number"),
        ("venv.sh", [], {}, "name one that is locked"),
        ("venv.sh", ["nothing"], {}, "there is no requirements/nothing.txt"),
        ("chaos-native.sh", [], {"ROUNDS": "-1"}, "-1 is not a number"),
        ("chaos-containers.sh", [], {"BUYERS": "100"}, "100 is not a number"),
        ("publish.sh", ["push"], {}, "must name a registry"),
        ("publish.sh", ["push"], {"APP_IMAGE": "shardmart/app"}, "must name a registry"),
        ("publish.sh", ["push"], {**REGISTRY, "TAG": "v1/2"}, "cannot be the tag of an image"),
        ("publish.sh", ["promote", "a"], REGISTRY, "promote takes two tags"),
        ("publish.sh", ["pull"], REGISTRY, "say push, or promote"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    script: str, arguments: list[str], variables: dict[str, str], complaint: str, run: Run
) -> None:
    done = run(script, *arguments, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr


# A registry of files: a tag is a file that holds a digest. What docker was asked is written down.
DOCKER = """
cd "$(dirname "$0")"
echo "$*" >>asked
name="$(tr / _ <<<"${4:-$3}")"
case "$*" in
    buildx*) [[ -f $name ]] && printf '{\\n  "digest": "sha256:%s",\\n}' "$(<"$name")" ;;
    "push --quiet "*) cp local "$(tr / _ <<<"$3")" ;;
    "pull --quiet "*) cp "$(tr / _ <<<"$3")" local ;;
esac
"""


@pytest.fixture
def registry(fake: Fake) -> Path:
    """A registry with the images of one commit, and where it keeps them."""
    directory = fake("docker", DOCKER).parent
    for name, digest in (("app", "11"), ("node", "22")):
        (directory / f"ghcr.io_ana_shop_{name}:0123").write_text(digest)
    (directory / "local").write_text("33")
    return directory


def test_a_version_is_the_very_image_that_staging_had(registry: Path, run: Run) -> None:
    done = run("publish.sh", "promote", "0123", "v1", **REGISTRY)
    assert done.returncode == 0, done.stderr
    assert (registry / "ghcr.io_ana_shop_app:v1").read_text() == "11"
    assert (registry / "ghcr.io_ana_shop_node:v1").read_text() == "22"
    assert "ghcr.io/ana/shop/app:v1 is ghcr.io/ana/shop/app:0123 (sha256:11)" in done.stdout
    (registry / "asked").unlink()
    assert run("publish.sh", "promote", "0123", "v1", **REGISTRY).returncode == 0
    assert "push" not in (registry / "asked").read_text()


def test_a_version_is_never_taken_from_an_image(registry: Path, run: Run) -> None:
    (registry / "ghcr.io_ana_shop_app:v1").write_text("99")
    done = run("publish.sh", "promote", "0123", "v1", **REGISTRY)
    assert done.returncode == 2
    assert "app:v1 is another image already (sha256:99)" in done.stderr
    assert (registry / "ghcr.io_ana_shop_app:v1").read_text() == "99"


def test_a_promotion_that_changed_the_image_is_told(registry: Path, fake: Fake, run: Run) -> None:
    fake("docker", DOCKER.replace('cp "$(tr / _ <<<"$3")" local', "true"))
    done = run("publish.sh", "promote", "0123", "v1", **REGISTRY)
    assert done.returncode == 2
    assert "app:v1 became another image (sha256:33)" in done.stderr


def test_what_staging_never_had_is_not_promoted(registry: Path, run: Run) -> None:
    done = run("publish.sh", "promote", "new", "v2", **REGISTRY)
    assert done.returncode == 2
    assert "the registry has no ghcr.io/ana/shop/app:new" in done.stderr


def test_a_tag_that_is_in_the_registry_is_not_pushed_again(registry: Path, run: Run) -> None:
    assert run("publish.sh", "push", **REGISTRY, TAG="0123").returncode == 0
    assert "push" not in (registry / "asked").read_text()
    done = run("publish.sh", "push", **REGISTRY, TAG="new")
    assert "ghcr.io/ana/shop/app:new sha256:33" in done.stdout
    assert "tag shardmart/node:local ghcr.io/ana/shop/node:new" in (registry / "asked").read_text()
