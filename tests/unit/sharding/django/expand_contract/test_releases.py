"""What is new is told by git, in a checkout of its own."""

from pathlib import Path

import pytest

from sharding.django.expand_contract import releases, verdicts
from sharding.django.expand_contract.git import Checkout
from sharding.errors import InvalidInput
from tests.unit.sharding.django.expand_contract.repository import APP, INITIAL, Repository

REMOVE = 'RemoveField("animal", "motto")'
RETIRE = f"SeparateDatabaseAndState(state_operations=[{REMOVE}])"
DROP = 'DropField("animal", "motto", models.TextField(null=True))'


def test_nothing_is_new_in_the_release_itself(repository: Repository) -> None:
    assert repository.since("v1") == {}
    assert repository.since("main") == {}


def test_what_is_written_since_is_new_committed_or_not(repository: Repository) -> None:
    repository.add("0002_age", 'AddField("animal", "age", models.IntegerField())')
    assert repository.since("v1") == {"0002_age": ["not-null-column"]}
    repository.release("v2")
    assert repository.since("v1") == {"0002_age": ["not-null-column"]}
    assert repository.since("v2") == {}


def test_a_field_is_removed_in_two_releases(repository: Repository) -> None:
    repository.add("0002_retire", RETIRE)
    repository.release("v2")
    repository.add("0003_drop", DROP, after="0002_retire")
    assert repository.since("v2") == {"0003_drop": []}
    assert repository.since("v1") == {"0002_retire": [], "0003_drop": ["drop-column"]}


def test_a_migration_is_allowed_what_it_gives_a_reason_for(repository: Repository) -> None:
    more = "allowed = {'drop-column': 'nothing reads it: see the log of queries'}"
    repository.add("0002_drop", REMOVE, more=more)
    [verdict] = verdicts.judge(releases.at(Checkout.around(repository.package), "v1"))
    assert verdict.refused == ()
    [(objection, reason)] = verdict.allowed
    assert objection.code == "drop-column"
    assert reason == "nothing reads it: see the log of queries"


def test_a_released_migration_is_not_edited(repository: Repository) -> None:
    repository.write("0001_initial", INITIAL.replace("null=True", "null=False"))
    assert repository.since("v1") == {"0001_initial": ["edited-migration"]}


def test_layout_and_comments_of_a_released_migration_may_change(repository: Repository) -> None:
    repository.write("0001_initial", "# The first.\n" + INITIAL.replace("    ", "        "))
    assert repository.since("v1") == {}


def test_an_edit_may_be_allowed_in_the_migration_itself(repository: Repository) -> None:
    reasons = {"edited-migration": "no database has it yet", "drop-column": "in its time"}
    reason = f"    allowed = {reasons}\n"
    edited = INITIAL.replace("null=True", "null=False")
    repository.write("0001_initial", edited + reason)
    assert repository.since("v1") == {"0001_initial": []}


def test_a_released_migration_does_not_disappear(repository: Repository) -> None:
    repository.add("0002_retire", RETIRE)
    repository.release("v2")
    (repository.package / "0002_retire.py").unlink()
    assert repository.since("v2") == {"0002_retire": ["removed-migration"]}
    assert repository.since("v1") == {}


def _squash(*replaced: str) -> str:
    pairs = [(APP, name) for name in replaced]
    return INITIAL.replace("    initial = True", f"    initial = True\n    replaces = {pairs}")


def test_a_squash_of_what_is_released_is_nothing_new(repository: Repository) -> None:
    repository.add("0002_retire", RETIRE)
    repository.release("v2")
    repository.write("0001_squashed", _squash("0001_initial", "0002_retire"))
    assert repository.since("v2") == {}
    repository.release("v3")
    for name in ("0001_initial", "0002_retire"):
        (repository.package / f"{name}.py").unlink()
    assert repository.since("v2") == {}
    repository.write("0001_squashed", INITIAL)
    assert repository.since("v3") == {}


def test_a_squash_does_not_hide_what_is_new(repository: Repository) -> None:
    repository.add("0002_drop", REMOVE)
    repository.write("0001_squashed", _squash("0001_initial", "0002_drop"))
    assert repository.since("v1") == {"0001_squashed": ["unreleased-squash"]}


def test_what_was_changed_behind_the_release_has_to_be_put_right_first(
    repository: Repository,
) -> None:
    repository.write("0001_initial", INITIAL.replace("null=True", "null=False"))
    repository.add("0002_drop", REMOVE)
    assert repository.since("v1") == {"0001_initial": ["edited-migration"]}


def test_a_commit_that_git_does_not_know_is_bad_input(repository: Repository) -> None:
    for ref in ("v9", "", "--all", "v1:0001_initial.py"):
        with pytest.raises(InvalidInput, match="knows no commit"):
            repository.since(ref)


@pytest.mark.native("runs git")
def test_a_directory_without_git_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is in no git checkout"):
        Checkout.around(tmp_path)


def test_the_last_release_is_the_last_tag(repository: Repository) -> None:
    checkout = Checkout.around(repository.package)
    assert checkout.last_tag() is None  # v1 itself is checked out
    repository.add("0002_retire", RETIRE)
    assert checkout.last_tag() == "v1"  # v2 is being written
    repository.release("v2")
    assert checkout.last_tag() == "v1"
    repository.git("commit", "--quiet", "--allow-empty", "--message", "more")
    assert checkout.last_tag() == "v2"


def test_a_release_on_a_branch_is_one_where_it_is_merged(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "hotfix")
    repository.release("v1.1")
    repository.git("checkout", "--quiet", "main")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "meanwhile")
    repository.git("merge", "--quiet", "hotfix", "--message", "merge")
    assert Checkout.around(repository.package).last_tag() == "v1.1"


def test_a_checkout_without_a_tag_has_no_release(repository: Repository) -> None:
    repository.git("tag", "--delete", "v1")
    assert Checkout.around(repository.package).last_tag() is None


def test_a_shallow_clone_is_not_trusted_to_know_its_tags(
    repository: Repository, tmp_path: Path
) -> None:
    repository.release("v2")
    url = f"file://{repository.top}"
    repository.git("clone", "--quiet", "--depth=1", "--no-tags", url, "shallow")
    checkout = Checkout.around(tmp_path / "shallow")
    with pytest.raises(InvalidInput, match="shallow clone"):
        checkout.last_tag()
    with pytest.raises(InvalidInput, match="a shallow clone: fetch its whole history"):
        checkout.commit("v1")


def test_what_git_ignores_is_a_package_and_not_new(repository: Repository) -> None:
    (repository.top / ".gitignore").write_text("0002*\n")
    repository.add("0002_drop", REMOVE)
    assert repository.since("v1") == {}
