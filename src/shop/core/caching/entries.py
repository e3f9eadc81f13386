"""What Redis keeps of an answer: its bytes, its ETag, and the tokens it was made under.

Invariant: an entry counts as long as every token it was made under is still there, the same. A
token is random and never comes back; one that is missing, for whatever reason, fits no entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5
from struct import Struct
from typing import NamedTuple, TypeAlias

from shop.core.redis import packed, prefixed

LAYOUT = b"a1"
HEAD = Struct("!2sHd32sB")  # layout, status, fresh until (Unix time), ETag, number of tokens
TOKEN_BYTES = 16

Tokens: TypeAlias = Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in the one form that all its spellings come to.

    Attributes:
        view: who answers it, for the metrics.
        key, lock, tokens: the names in Redis of its entry, of the lock of whoever makes it, and of
            the tokens it depends on.
        lookup: the command that fetches the entry and its tokens, ready to be sent.
        asked: of a question that may have any number of forms, the mark of its first asking; from
            the second on its answer is kept.
    """

    view: str
    key: str
    lock: str
    tokens: tuple[str, ...]
    lookup: bytes
    asked: str | None = None

    @classmethod
    def about(
        cls, *, view: str, name: str, tokens: Sequence[str], is_odd: bool = False
    ) -> "Question":
        """Return the question whose entry has this name and depends on these tokens.

        Args:
            is_odd: strangers may make up any number of questions like this one.
        """
        key = prefixed(f"answer:{view}:{name}")
        names = tuple(token_key(token) for token in tokens)
        lock, lookup = prefixed(f"lock:{view}:{name}"), packed("MGET", key, *names)
        asked = prefixed(f"asked:{view}:{name}") if is_odd else None
        return cls(view, key, lock, names, lookup, asked)


class Entry(NamedTuple):
    """An answer.

    Attributes:
        body: of status 200 the answer's bytes; of another, one sentence for people.
        etag: the digest of the body, as 32 hexadecimal digits.
        fresh_until: Unix time from which on somebody should make it anew.
    """

    status: int
    body: bytes
    etag: str
    fresh_until: float

    @classmethod
    def of(cls, status: int, body: bytes, *, fresh_until: float) -> "Entry":
        """Return the entry of an answer; its ETag is the one of `shop.core.conditional`."""
        return cls(status, body, md5(body, usedforsecurity=False).hexdigest(), fresh_until)


def token_key(name: str) -> str:
    """Return a token's name in Redis."""
    return prefixed(f"token:{name}")


def pack(entry: Entry, tokens: Tokens) -> bytes:
    """Return an entry as Redis keeps it."""
    head = HEAD.pack(LAYOUT, entry.status, entry.fresh_until, entry.etag.encode(), len(tokens))
    return b"".join((head, *(token or b"" for token in tokens), entry.body))


def unpack(raw: bytes | None, tokens: Tokens) -> Entry | None:
    """Return what Redis keeps, if it was made under these tokens; else None."""
    if raw is None or None in tokens or raw[:2] != LAYOUT:
        return None
    _, status, fresh_until, etag, count = HEAD.unpack_from(raw)
    body = HEAD.size + count * TOKEN_BYTES
    if raw[HEAD.size : body] != b"".join(tokens):  # type: ignore[arg-type]  # none is None
        return None
    return Entry(status, raw[body:], etag.decode(), fresh_until)
