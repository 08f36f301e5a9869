"""The French catalogue is complete, compiled, and names the same values as the English sentences."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import gettext, ngettext, override

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "billing/locale/fr/LC_MESSAGES/django.po"
MARKS = {"_", "_t", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
TEXT = r'(?:".*"\n)+'
ENTRY = re.compile(
    rf"^msgid (?P<id>{TEXT})(?:msgid_plural (?P<plural>{TEXT}))?(?P<texts>(?:msgstr(?:\[\d\])? {TEXT})+)", re.MULTILINE
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+[^}]*\}")


def unquote(lines: str) -> str:
    return "".join(re.findall(r'"(.*)"', lines))


def entries() -> list[tuple[list[str], list[str]]]:
    """Each English text with its French ones (two each for plurals)."""
    found = []
    for match in ENTRY.finditer(CATALOGUE.read_text() + "\n"):
        texts = re.split(r"^msgstr(?:\[\d\])? ", match["texts"], flags=re.M)[1:]
        english = [unquote(text) for text in (match["id"], match["plural"]) if text]
        found.append((english, [unquote(text) for text in texts]))
    return [entry for entry in found if entry[0] != [""]]


def marked_texts() -> Iterator[tuple[str, Path]]:
    """The texts that programs and templates mark for translation; blocks of templates are left to makemessages."""
    for package in ("billing", "organizations", "config"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                    text = node.args[0]
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value, path
    for path in (ROOT / "templates").rglob("*.html"):
        for text in re.findall(r'{% translate "([^"]+)" %}', path.read_text()):
            yield text, path


def test_every_text_that_is_marked_is_in_the_catalogue() -> None:
    # If not: manage.py makemessages -l fr, translate, manage.py compilemessages -i .venv
    known = {english.replace('\\"', '"').replace("\\n", "\n") for (english, *_plural), _french in entries()}
    assert not {f"{path.relative_to(ROOT)}: {text}" for text, path in marked_texts() if text not in known}


def test_every_text_is_translated() -> None:
    assert len(entries()) > 400
    assert not [english for english, french in entries() if not all(french)]
    assert "fuzzy" not in CATALOGUE.read_text()


def test_every_translation_names_the_same_values() -> None:
    for english, french in entries():  # a singular may write "one" or the number
        values = [sorted(PLACEHOLDER.findall(text)) for text in english]
        assert all(sorted(PLACEHOLDER.findall(text)) in values for text in french), english


@pytest.mark.parametrize(
    ("english", "french"),
    [("Credit statement", "Relevé de crédits"), ("Filters", "Filtres"), ("Usage details", "Détails de consommation")],
)
def test_it_is_compiled(english: str, french: str) -> None:
    with override("fr"):
        assert gettext(english) == french
        assert ngettext("%(number)d tier", "%(number)d tiers", 2) == "%(number)d paliers"
