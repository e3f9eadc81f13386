"""What can be chosen about a deployment, and what is refused."""

import pytest

from db.remote.errors import Refused
from db.remote.options import Options, choose


def made(**variables: str) -> Options:
    given = {"ENV": "staging", "HOST": "deploy@shop.example", "TAG": "v1", **variables}
    return choose(given, commit=lambda: "0123456789ab")


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("ENV", "", "ENV is missing"),
        ("ENV", "Staging!", "ENV=Staging! cannot be used"),
        ("HOST", "", "HOST is missing"),
        ("HOST", "-oProxyCommand=evil", "HOST=-oProxyCommand=evil cannot be used"),
        ("HOST", "deploy@host; evil", "cannot be used"),
        ("TAG", "a tag", "TAG=a tag cannot be used"),
        ("TAG", "-v1", "cannot be used"),
        ("APP_IMAGE", "shardmart/app:v1:v2/x y", "cannot be used"),
        ("NODE_TAG", "n 1", "NODE_TAG=n 1 cannot be used"),
        ("TRANSFER", "pigeon", "TRANSFER=pigeon is unknown: choose registry, ssh"),
        ("DIRECTORY", "opt/shardmart", "a path from / on the host"),
        ("DIRECTORY", "/opt/../etc", "a path from / on the host"),
        ("DIRECTORY", "/", "a path from / on the host"),
        ("SSH_OPTIONS", "-i 'key", "SSH_OPTIONS cannot be read: No closing quotation"),
        ("SMOKE", "maybe", "SMOKE=maybe is unknown: choose journey, reading, none"),
        ("PATIENCE", "soon", "PATIENCE=soon: choose seconds from 10 to 3600"),
        ("PATIENCE", "5", "PATIENCE=5: choose"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_what_can(
    variable: str, value: str, complaint: str
) -> None:
    with pytest.raises(Refused) as caught:
        made(**{variable: value})
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "host", ["host", "deploy@host", "ssh://deploy@10.0.0.1:2222", "alias-of-ssh_config"]
)
def test_a_host_is_named_as_ssh_names_it(host: str) -> None:
    assert made(HOST=host).host == host


def test_without_a_tag_it_is_the_commit() -> None:
    assert made(TAG="").image == "shardmart/app:0123456789ab"


@pytest.mark.parametrize(
    ("image", "transfer"),
    [
        ("shardmart/app", "ssh"),
        ("ghcr.io/shop/app", "registry"),
        ("localhost/app", "registry"),
        ("registry:5000/app", "registry"),
    ],
)
def test_an_image_of_a_registry_is_pulled_from_there(image: str, transfer: str) -> None:
    assert made(APP_IMAGE=image).transfer == transfer


def test_where_money_is_real_the_smoke_test_only_reads() -> None:
    assert made(ENV="production").smoke == "reading"
    assert made(ENV="production", SMOKE="journey").smoke == "journey"
    assert made().smoke == "journey"


def test_options_of_ssh_are_words_of_a_shell() -> None:
    assert made(SSH_OPTIONS="-p 22 -i 'a key'").ssh_options == ("-p", "22", "-i", "a key")
