"""What the bundled fonts can show, and what stands for the rest."""

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from billing.documents.pdf.files import FontsMissing
from billing.documents.pdf.glyphs import _fonts, _unprintable, characters_of, printable, printable_text

FONTS = Path(django_settings.BASE_DIR) / "templates" / "documents" / "fonts"


def test_bold_and_regular_fonts_show_the_same_characters() -> None:
    for regular in FONTS.glob("*-Regular.ttf"):
        bold = next(path for path in FONTS.glob(regular.name.replace("Regular", "*Bold")))
        assert characters_of(regular.read_bytes()) == characters_of(bold.read_bytes())


def test_latin_greek_cyrillic_and_the_signs_of_figures_are_there() -> None:
    shown = characters_of((FONTS / "Inter-Regular.ttf").read_bytes())

    assert {ord(letter) for letter in "aéœßąłőçğΩάЖїґ€−–·□’“”«»\xa0"} <= shown


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Atlas", "Atlas"),
        ("e\u0301", "é"),
        ("👩\u200d💻", "□□"),
        ("A\ufe0f", "A"),
        ("a\tb\rc", "a b c"),
        ("会社", "□□"),
        ("\ue000\U0010ffff", "□□"),
        ("two\nlines", "two\nlines"),
        ("\u200f\u00ad", "□"),
        ("\u05d0\u05b0\u05b1 \u0627\u064b x\u0302", "\u05d0\u05b0\u05b1 \u0627\u064b x\u0302"),
        ("x\u05b0\u0302\u064b/\u05b0", "x\u0302/"),  # no font has both
        ("\u05b0x\n\u064by \u0302z", "x\ny z"),  # nothing to stand on
        ("", ""),
    ],
)
def test_what_cannot_be_shown_is_substituted(text: str, printed: str) -> None:
    assert printable_text(text) == printed


def test_long_words_may_break_anywhere_and_short_ones_nowhere() -> None:
    assert printable_text("a" * 30) == "a" * 12 + "\u200b" + "a" * 12 + "\u200b" + "a" * 6
    assert printable_text("F20261102-000042 " * 3) == "F20261102-000042 " * 3


def test_whole_structures_are_made_printable_and_nothing_else_changes() -> None:
    assert printable({"a": ["会", ("b", None, True, 3)]}) == {"a": ["□", ["b", None, True, 3]]}


@hypothesis_settings(max_examples=30)
@given(st.text(max_size=40))
def test_every_text_becomes_one_that_the_fonts_have(text: str) -> None:
    printed = printable_text(text)

    assert printable_text(printed).replace("\u200b", "") == printed.replace("\u200b", "")


def test_a_missing_font_is_said_and_healed_when_it_is_back(tmp_path: Path, settings: Settings) -> None:
    _unprintable.cache_clear()
    _fonts.cache_clear()
    right = settings.BASE_DIR
    settings.BASE_DIR = tmp_path
    with pytest.raises(FontsMissing, match=r"Inter-Regular\.ttf"):
        printable_text("Atlas")
    settings.BASE_DIR = right

    assert printable_text("Atlas 会") == "Atlas □"
