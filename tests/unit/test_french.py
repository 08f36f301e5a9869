"""The French catalogue is complete, compiled, and names the same values as the English sentences."""

import re
from pathlib import Path

import pytest
from django.utils.translation import gettext, ngettext, override

CATALOGUE = Path(__file__).parents[2] / "billing/locale/fr/LC_MESSAGES/django.po"
TEXT = r'(?:".*"\n)+'
ENTRY = re.compile(
    rf"^msgid (?P<id>{TEXT})(?:msgid_plural {TEXT})?(?P<texts>(?:msgstr(?:\[\d\])? {TEXT})+)", re.MULTILINE
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+[^}]*\}")


def unquote(lines: str) -> str:
    return "".join(re.findall(r'"(.*)"', lines))


def entries() -> list[tuple[str, list[str]]]:
    """Each English text with its French ones (two for plurals)."""
    found = []
    for match in ENTRY.finditer(CATALOGUE.read_text() + "\n"):
        texts = re.split(r"^msgstr(?:\[\d\])? ", match["texts"], flags=re.M)[1:]
        found.append((unquote(match["id"]), [unquote(text) for text in texts]))
    return [entry for entry in found if entry[0]]


def test_every_text_is_translated() -> None:
    assert len(entries()) > 400
    assert not [english for english, french in entries() if not all(french)]
    assert "fuzzy" not in CATALOGUE.read_text()


def test_every_translation_names_the_same_values() -> None:
    for english, french in entries():
        for text in french:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english)), english


@pytest.mark.parametrize(
    ("english", "french"),
    [("Credit statement", "Relevé de crédits"), ("Filters", "Filtres"), ("Usage details", "Détails de consommation")],
)
def test_it_is_compiled(english: str, french: str) -> None:
    with override("fr"):
        assert gettext(english) == french
        assert ngettext("%(number)d tier", "%(number)d tiers", 2) == "%(number)d paliers"
