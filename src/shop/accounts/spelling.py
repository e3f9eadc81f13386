"""In which form names and passwords are compared, whatever keyboard they were typed on.

A letter with its mark is one sign on one device and two on another; names also come in any case,
and the domain of an e-mail address in Unicode or as the DNS has it.
"""

from unicodedata import normalize

import idna


def normal_form(name: str) -> str:
    """Return what names are told apart by.

    Neither case nor Unicode's spellings tell them apart. Nor do, behind an ``@``, the two spellings
    of a domain (IDNA 2008): ``münchen.example`` and ``xn--mnchen-3ya.example`` are one, while
    ``straße.example`` and ``strasse.example`` are two.
    """
    local, at, domain = name.rpartition("@")
    return f"{_folded(local)}{at}{_domain(domain) if at else _folded(domain)}"


def password_forms(typed: str) -> list[str]:
    """Return what may have been hashed: the normal form (NFC, RFC 8265), and what was typed.

    The second is for passwords that were set before there was a normal form.
    """
    return list(dict.fromkeys((normalize("NFC", typed), typed)))


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold()


def _domain(text: str) -> str:
    try:
        return idna.decode(idna.encode(text, uts46=True))
    except (idna.IDNAError, UnicodeError):  # it is no domain; a username may have an @ as well
        return _folded(text)
