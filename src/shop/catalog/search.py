"""Finding products by words: one form for all spellings, exact names first.

A product is found by any of these:

- PostgreSQL's English full-text search over name and description, which knows inflections and the
  operators of `websearch_to_tsquery` (``"a phrase"``, ``-without``, ``or``);
- its exact name, whatever words the name has: "The Who" is made of stop words alone;
- parts of its name: every word that is looked for stands somewhere in it. So beginnings of words,
  model numbers, and scripts that are written without spaces are found.

Invariant: `fold` and `squeeze` say of a text what `Folded` and `Squeezed` say of it inside the
database, where names are kept so (`Product.search_name`).
"""

import re
import unicodedata
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Case, Expression, Func, IntegerField, Q, TextField, Value, When

# What NFKD leaves as it is, and most people type otherwise; the final sigma is a sigma.
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ς": "σ"}
LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
TYPED = {ord(letter): typed for letter, typed in (LETTERS | LIGATURES).items()}
# Wi-Fi and WiFi, L'Oréal and LOreal are one.
JOINTS = "-‐‑–'’‘ʼ´`"
MARKS = re.compile("[\u0300-\u036f]+")
SPACES = re.compile(r"\s+")
EXCLUSION = re.compile(r"(?:^|\s)-\w")
# Written without spaces between words: a short run inside a longer one is a word of its own.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# Fewer characters have no trigram that an index could look up.
TRIGRAM = 3

NO_MATCH, IN_NAME, BEGINS, EXACT = range(4)


class Folded(Func):
    """A text in lower case and without accents, as `fold` makes it."""

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        sql = f"lower(regexp_replace(normalize({sql}, NFKD), '[\\u0300-\\u036f]+', '', 'g'))"
        sql = f"translate({sql}, '{''.join(LETTERS)}', '{''.join(LETTERS.values())}')"
        for letter, several in LIGATURES.items():
            sql = f"replace({sql}, '{letter}', '{several}')"
        return sql, params


class Squeezed(Func):
    """A folded text without hyphens and apostrophes, behind a space: see `squeeze`."""

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        sql, params = compiler.compile(Folded(*self.source_expressions))
        joints = JOINTS.replace("'", "''")
        return f"(' ' || translate({sql}, '{joints}', ''))", params


def fold(text: str) -> str:
    """Return the text in lower case and without accents: Café, CAFE and café are one."""
    plain = MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()
    return plain.translate(TYPED)


def squeeze(text: str) -> str:
    """Return the folded text without hyphens and apostrophes, behind a space.

    With the space before it, the beginning of the name is the beginning of a word like any other.
    """
    return " " + fold(text).translate(dict.fromkeys(map(ord, JOINTS)))


def canonical(text: str) -> str:
    """Return the one form of all searches that find the same."""
    return SPACES.sub(" ", fold(text)).strip()


def matching(text: str) -> Q:
    """Return the condition for products that a search finds."""
    words = SearchQuery(canonical(text), search_type="websearch", config="english")
    found = Q(search=words) | Q(search_name=squeeze(canonical(text)))
    return found if EXCLUSION.search(text) else found | _in_name(text)


def relevance(text: str) -> Expression:
    """Return how well a product fits: `EXACT` name, name that `BEGINS` so, `IN_NAME`, or 0."""
    whole = squeeze(canonical(text))
    return Case(
        When(search_name=whole, then=Value(EXACT)),
        When(search_name__startswith=whole, then=Value(BEGINS)),
        When(_in_name(text), then=Value(IN_NAME)),
        default=Value(NO_MATCH),
        output_field=IntegerField(),
    )


def _in_name(text: str) -> Q:
    """Return the condition that each word stands in the name, in whatever order."""
    found = Q()
    for word in squeeze(canonical(text).replace('"', " ")).split():
        short = len(word) < TRIGRAM and not UNSPACED.search(word)
        found &= Q(search_name__contains=f" {word}" if short else word)
    return found or Q(pk__in=[])
