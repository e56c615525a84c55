"""What a word is, in whatever script and however it is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("Water the plants, the big ones!", ("water", "the", "plants", "big", "ones")),
        ("100% of b_c's d-e\tf\ng", ("100", "of", "b", "c", "s", "d", "e", "f", "g")),
        ("%_\\'\"$&|!:*()", ()),
        ("STRASSE Straße", ("strasse",)),
        ("ΣΊΣΥΦΟΣ σίσυφος", ("σίσυφοσ",)),
        ("Zoë Zoe\u0308 zoe", ("zoë", "zoe")),
        ("İstanbul", ("i\u0307stanbul",)),
        ("ﬁle \uff26\uff35\uff2c\uff2c \uff12\uff14", ("file", "full", "24")),
        ("हिन्दी में", ("हिन्दी", "में")),
        ("\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd عالم", ("\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd", "عالم")),
        ("植物に水", ("植", "物", "に", "水")),
        ("東京2026 𠮷野", ("東", "京", "2026", "𠮷", "野")),
        ("🪴plant🪴", ("plant",)),
        ("a" * 65, ("a" * 64,)),
        (f"b {'a' * 65} c {'A' * 66}", ("b", "a" * 64, "c")),
        ("a" * 64 + "-" + "b" * 64, ("a" * 64, "b" * 64)),
    ],
)
def test_a_text_is_its_words_each_of_them_once(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@given(st.text(st.characters(codec="ascii")))
def test_in_ascii_a_word_is_a_run_of_letters_and_digits_in_lower_case(text: str) -> None:
    runs = [run[:64] for run in re.findall("[0-9a-z]+", text.lower())]

    assert words_of(text) == tuple(dict.fromkeys(runs))


@pytest.mark.parametrize("text", ["Straße ﬁle Zoe\u0308 ΣΊΣΥΦΟΣ 植物 İ", "ŉ ǰ ΐ ﷺ ½"])
def test_words_are_made_of_their_own_words(text: str) -> None:
    assert words_of(" ".join(words_of(text))) == words_of(text)
