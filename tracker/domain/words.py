"""The words of a text: what a search compares. They are made here, so that every store finds the same.

Case, width and the ways to write one letter do not matter (NFKC and case folding); accents do. A word is a run of
letters, digits and marks; what stands between is left out. Han and kana are written without spaces: there each
character is a word. A word counts up to its 64th character.
"""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 64
_TOO_LONG = re.compile(rf"[0-9a-z]{{{_LONGEST + 1}}}")
# What each byte of ASCII is to a search; text in ASCII is cut by bytes, which takes a quarter of what a regex takes.
_SEEN_AS = b"".join(bytes([byte]).lower() if bytes([byte]).isalnum() else b" " for byte in range(256))
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")


def words_of(text: str) -> tuple[str, ...]:
    """Return each word of a text once, in the order in which they first occur."""
    is_ascii = text.isascii()
    spaced = text.encode().translate(_SEEN_AS).decode() if is_ascii else _folded(text)
    words = spaced.split()
    if not is_ascii or _TOO_LONG.search(spaced):
        words = [word[:_LONGEST] for word in words]
    return tuple(dict.fromkeys(words))


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    parts = "".join(character if _is_of_a_word(character) else " " for character in folded)
    return _UNSPACED.sub(r" \1 ", parts)


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"
