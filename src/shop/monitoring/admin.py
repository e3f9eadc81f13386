"""The staff page of dead letters: tasks that were given up, run again or forgotten."""

from uuid import UUID

from django.db.models import QuerySet

from shop.core import dead_letters
from shop.core.admin.desk import Acting, Action, Column, Desk, Rows, register
from shop.core.broker import BROKER_ERRORS
from shop.core.errors import Conflict, NotFound
from shop.core.models import DeadLetter


class CannotReplay(Conflict):
    """The task is no more, or the broker does not take it; the letter stays."""

    code = "cannot_replay"


def _replay(letter: DeadLetter, acting: Acting) -> str:
    try:
        replayed = dead_letters.replay(letter)
    except (LookupError, *BROKER_ERRORS) as error:
        raise CannotReplay(f"It stays: {' '.join(str(error).split())}") from error
    return f"{letter.task} will run again." if replayed else "It is gone already."


def _drop(letter: DeadLetter, acting: Acting) -> str:
    dead_letters.drop(letter)
    return f"Dropped {letter.task}: what it was to do stays undone."


class LetterDesk(Desk):
    """Tasks that were given up."""

    model = DeadLetter
    plural = "Dead letters"
    search_help = "A task's whole name, e.g. checkout.charge_order; asks every shard."
    choices = (("all", "All"),)
    columns = (
        Column("Letter", lambda letter: letter.id),
        Column("Task", lambda letter: letter.task),
        Column("Given up", lambda letter: letter.created_at),
        Column("Tries", lambda letter: letter.tries),
        Column("Error", lambda letter: " ".join(letter.error.split())[:80]),
    )
    actions = (
        Action("replay", "Run it again", _replay, says="What caused it should be mended first."),
        Action("drop", "Drop it", _drop, says="What it was to do stays undone."),
    )
    template = "admin/core/letter.html"

    def find(self, term: str) -> Rows:
        return self.chosen("all").filter(task=term)  # type: ignore[union-attr]

    def chosen(self, choice: str) -> Rows:
        letters: QuerySet[DeadLetter] = DeadLetter.objects.cross_shard()
        return letters

    def keys(self, row: DeadLetter) -> tuple[UUID, UUID]:
        return row.user_id, row.id

    def row(self, shard_key: str, row_id: UUID) -> DeadLetter:
        letter: DeadLetter | None = (
            DeadLetter.objects.for_user(UUID(shard_key)).filter(id=row_id).first()
        )
        if letter is None:
            raise NotFound("There is no such dead letter.")
        return letter


register(LetterDesk())
