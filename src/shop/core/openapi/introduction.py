"""What the document tells before its first operation."""

INTRODUCTION = """\
A shop: catalog, carts, wishlists, orders, payments and reviews.

**Format.** Requests and answers are JSON (UTF-8). Times are ISO 8601 in UTC. Money is a string
with two decimals (`"19.90"`), never a number. Ids of products and categories are integers; all
other ids are UUIDs. Paths end with a slash.

**Authentication.** `POST /api/auth/register/` and `POST /api/auth/login/` answer with two tokens.
Send `Authorization: Bearer <access>` with every request. The access token lives for minutes; when
it has expired (401 `invalid_token`), get the next pair from `POST /api/auth/refresh/`. What is open
to everybody stays open: there a token that is not good counts as none. A refresh token works once:
using it again within 30 seconds gives another pair, using it later ends the session it belongs to,
and the user logs in again.
Roles are `customer`, `support`, `catalog_manager` and `admin`; an operation says which it is for.
What belongs to somebody else answers 404, as if it were not there.

**Errors** are `application/problem+json` (RFC 9457). Decide by `code`, which is stable; `detail`
is for people. With code `invalid`, `errors` lists every field that is wrong. A field of a
body that an operation does not take is refused (`unknown_field`), and so is, in lists that need a
token, a parameter that they do not know (`unknown_parameter`): `errors` names each. A PUT may send
back all that a GET shows. Parameters that are empty count as absent. A method that a path
does not have answers 405 `method_not_allowed`; an error of ours 500 `internal_error`. Quote
`request_id` when you ask us about an answer: it is also the `X-Request-ID` header, and a request
may bring its own (letters, digits, `.`, `_`, `-`, at most 64).

**Retries.** Operations with money or stock effects need an `Idempotency-Key` header; an addition
to a cart keeps one if it is sent. Make one up for each intended effect, and send the same key with
every retry: the effect happens once, and the first answer is given again, with
`Idempotent-Replayed: true`. Keys live for 24 hours. The same key with another body or path is
refused (422 `idempotency_key_reused`); while the first request is still at work, a second one
answers 409 `in_progress`. Refusals (4xx) are not stored: the key stays free. On 503 and 429, wait
as long as `Retry-After` says.

**Pages.** Lists answer `{next, previous, results}`, where `next` and `previous` are complete
addresses or null. Follow them; do not build cursors. A cursor belongs to the filters and the order
of its list. Rows added meanwhile neither repeat nor hide others. There is no count.

**Versions of things.** A GET has an `ETag`. Send it as `If-None-Match` to be answered 304 as long
as nothing changed, and as `If-Match` with an update to be refused (412 `precondition_failed`) if
somebody else was faster. Updates answer the new ETag. A compressed answer has a weak one
(`W/"…"`), which If-None-Match takes and If-Match never matches; what needs a token and can be
updated comes uncompressed. A condition that cannot be read, or that an operation does not compare,
is refused (400). Categories and products are the same for everybody: without a token any
cache may keep them for the few seconds that `Cache-Control` says. Parameters that are not listed
make no difference, and do not come back in `next`.

**Limits.** A body has at most 1 MiB and 32 levels. Requests are throttled; 429 `throttled` says in
`Retry-After` when to go on.
"""
