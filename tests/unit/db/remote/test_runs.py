"""What a deployment does, what it undoes, and what it leaves alone."""

import fcntl
import os

import pytest

from db.remote.errors import DONE, ROLLED_BACK, STUCK, CommandFailed, Refused
from tests.unit.db.remote.conftest import Host


def test_an_empty_host_is_started_as_a_whole(host: Host) -> None:
    assert host.deploy("v1") == DONE
    assert host.engine.asked == ["up everything v1", "run smoke v1"]
    assert host.mounted() == "one"
    assert (host.directory / "docker-compose.yml").exists()


def test_the_env_file_says_afterwards_what_runs_and_keeps_the_rest(host: Host) -> None:
    host.deploy("v1")
    assert host.env.splitlines() == [
        "SECRET_KEY=a-long-secret",
        "TAG=v1",
        "# kept",
        "NODE_TAG=n1",
        "NODE_IMAGE=shardmart/node",
        "APP_IMAGE=shardmart/app",
        "DEPLOY_ENV=staging",
    ]
    assert (host.directory / ".env").stat().st_mode & 0o777 == 0o600


def test_when_nothing_ran_before_a_failure_leaves_nothing_running(host: Host) -> None:
    assert host.deploy("bad-smoke") == ROLLED_BACK
    assert host.engine.asked[-1] == "down"
    assert host.releases.current is None
    assert host.deploy("v1") == DONE


def test_app_servers_are_drained_renewed_and_given_back_in_turn(serving: Host) -> None:
    assert serving.deploy("v2", config="two") == DONE
    assert serving.engine.asked == [
        "haproxy -c",
        "run prepare v2",
        "run migrate v2",
        "drain app1",
        "up app1 v2",
        "ready app1",
        "drain app2",
        "up app2 v2",
        "ready app2",
        "up tasks v2",
        "reload haproxy",
        "run monitoring v2",
        "run smoke v2",
    ]
    assert serving.mounted() == "two"


def test_what_the_release_before_did_not_know_is_up_before_the_app_servers(serving: Host) -> None:
    del serving.engine.running["redis-state"]
    assert serving.deploy("v2") == DONE
    asked = serving.engine.asked
    assert asked.index("up redis-state v2") < asked.index("drain app1")


def test_databases_redis_and_haproxy_are_never_made_anew(serving: Host) -> None:
    serving.engine.node_tag = "n2"
    assert serving.deploy("v2") == DONE
    assert {serving.engine.running[n] for n in ("coordinator", "worker", "redis")} == {"v1"}
    assert "describes it differently: coordinator, worker." in serving.said[-1]


def test_haproxy_is_not_reloaded_when_its_files_are_the_same(serving: Host) -> None:
    serving.deploy("v2")
    assert "reload haproxy" not in serving.engine.asked


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("ill", "shardmart-app1-1 is unhealthy"),
        ("bad-migrate", "The job migrate failed"),
        ("bad-smoke", "The job smoke failed"),
    ],
)
def test_a_release_that_fails_is_rolled_back(serving: Host, tag: str, reason: str) -> None:
    assert serving.deploy(tag, config="two") == ROLLED_BACK
    assert set(serving.engine.running.values()) == {"v1"}
    assert serving.mounted() == "one"
    assert serving.engine.up == dict.fromkeys(serving.engine.up, True)
    assert "TAG=v1\n" in serving.env
    assert any(reason in text for text in serving.said)
    assert serving.releases.state.under_way == ""
    assert serving.deploy("v2") == DONE


def test_when_the_first_app_server_is_ill_the_second_is_not_touched(serving: Host) -> None:
    serving.deploy("ill")
    assert "drain app2" not in serving.engine.asked


def test_haproxy_gets_its_old_configuration_back(serving: Host) -> None:
    assert serving.deploy("bad-smoke", config="two") == ROLLED_BACK
    assert serving.engine.asked.count("reload haproxy") == 2


@pytest.mark.parametrize("moment", ["run migrate v2", "drain app2", "ready app2", "run smoke v2"])
def test_whoever_interrupts_gets_the_old_release_back(serving: Host, moment: str) -> None:
    def interrupt(asked: str) -> None:
        if asked == moment and serving.engine.line:
            serving.engine.line.stop("the operator wants it (Ctrl-C)")

    serving.engine.interrupts = interrupt
    assert serving.deploy("v2") == ROLLED_BACK
    assert set(serving.engine.running.values()) == {"v1"}
    assert all(serving.engine.up[name] for name in ("app1", "app2"))


def test_a_rollback_that_fails_says_so_and_what_to_do(serving: Host) -> None:
    def gone(asked: str) -> None:
        if asked == "up app1 v1":
            raise CommandFailed(asked, "the engine is gone")

    serving.engine.interrupts = gone
    assert serving.deploy("ill") == STUCK
    assert "THE ROLLBACK FAILED" in serving.said[-1]
    assert "docker compose ps --all" in serving.said[-1]
    serving.engine.interrupts = lambda asked: None
    assert serving.deploy("v3") == DONE
    assert "was cut off in the middle" in "".join(serving.said)


def test_by_hand_it_goes_back_without_migrations_and_only_as_far_as_there_is(serving: Host) -> None:
    serving.deploy("v2", config="two")
    serving.engine.asked.clear()
    assert serving.roll_back() == DONE
    assert not any("migrate" in asked for asked in serving.engine.asked)
    assert serving.engine.running["app1"] == "v1"
    assert serving.mounted() == "one"
    with pytest.raises(Refused, match="no release before"):
        serving.roll_back()


def test_what_was_started_by_hand_is_what_is_gone_back_to(serving: Host) -> None:
    (serving.directory / "releases" / "state.json").unlink()
    assert serving.deploy("bad-smoke", config="two") == ROLLED_BACK
    assert set(serving.engine.running.values()) == {"v1"}
    assert serving.mounted() == "one"


def test_old_releases_are_forgotten_and_the_ones_to_go_back_to_kept(serving: Host) -> None:
    for number in range(12):
        assert serving.deploy(f"v{2 + number % 2}") == DONE
    assert len(list((serving.directory / "releases").glob("*/release.json"))) == 5
    assert serving.releases.previous is not None


# What is refused, before anything was asked for.


def test_a_second_deployment_is_refused_and_told_who_is_at_it(serving: Host) -> None:
    path = serving.directory / "releases" / "lock"
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert "Somebody deploys already: sam@desk, v1." in serving.refused("v2")
    finally:
        os.close(descriptor)
    assert serving.deploy("v2") == DONE  # the file is still there, and holds nobody up


def test_a_tag_that_cannot_be_had_is_refused(serving: Host) -> None:
    assert "shardmart/app:v9 cannot be had" in serving.refused("v9")


def test_another_environments_host_is_refused(serving: Host) -> None:
    assert "DEPLOY_ENV=staging" in serving.refused("v2", env="production")


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("TAG=v1\n", 0o600, "lacks what the compose file needs: SECRET_KEY."),
        ("SECRET_KEY=\n", 0o600, "lacks what the compose file needs: SECRET_KEY."),
        ("SECRET_KEY=change-me-at-least\n", 0o600, "change SECRET_KEY."),
        ("SECRET_KEY=my-insecure-one\n", 0o600, "change SECRET_KEY."),
        ("SECRET_KEY=k\nENVIRONMENT=production\n", 0o600, "set SEED=off"),
        ("SECRET_KEY=k\nENVIRONMENT=production\nSEED=on\n", 0o600, "set SEED=off"),
        ("SECRET_KEY=k\nTHROTLE_USER=9/s\n", 0o600, "THROTLE_USER (is it THROTTLE_USER?)"),
        ("SECRET_KEY=a-long-secret\n", 0o644, "can be read by others: chmod 600"),
    ],
)
def test_an_env_file_that_will_not_do_is_refused(
    host: Host, text: str, mode: int, reason: str
) -> None:
    path = host.directory / ".env"
    path.write_text(text)
    path.chmod(mode)
    assert reason in host.refused()


def test_a_missing_env_file_is_refused(host: Host) -> None:
    (host.directory / ".env").unlink()
    assert "`make env` makes one" in host.refused()


def test_databases_that_do_not_run_are_refused(serving: Host) -> None:
    del serving.engine.running["coordinator"]
    assert "coordinator should run and does not" in serving.refused("v2")


def test_a_worker_that_is_ill_keeps_nobody_from_going_back(serving: Host) -> None:
    """It stops a deployment; a rollback brings back what serves, and says who does not."""
    serving.engine.ill = {"tasks"}
    assert serving.deploy("v2") == ROLLED_BACK
    assert serving.engine.running["app1"] == "v1"
    assert any("serves without this: shardmart-tasks-1" in text for text in serving.said)
