"""Finished answers in Redis (docs/caching.md).

`entries`   what is kept: an answer's bytes, and the tokens it was made under
`tokens`    what makes entries stale: a write takes tokens away
`answers`   asking for an entry, and making it once when it is not there
"""
