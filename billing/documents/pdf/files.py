"""Where the template of documents and its fonts are."""

from pathlib import Path

from django.conf import settings

FAMILIES = ("Inter", "Noto Sans Arabic", "Noto Sans Hebrew")
"""As the template names them (`look.typ`)."""


class FontsMissing(OSError):
    """A bundled font is not where it should be: nothing is printed without it, and printing works again once it is."""


def template_folder() -> Path:
    """The folder of `document.typ`, with the fonts in `fonts`."""
    return Path(settings.BASE_DIR) / "templates" / "documents"


def regular_fonts() -> list[Path]:
    """The file of each family's regular font. Raises FontsMissing."""
    folder = template_folder() / "fonts"
    files = [folder / f"{family.replace(' ', '')}-Regular.ttf" for family in FAMILIES]
    if missing := [file.name for file in files if not file.is_file()]:
        raise FontsMissing(f"Fonts are missing in {folder}: {', '.join(missing)}.")
    return files
