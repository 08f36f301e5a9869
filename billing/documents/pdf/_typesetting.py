"""Hand a printed document to typst. The template and its fonts are files; the document is data, never markup."""

import json
import threading
from functools import cache
from typing import Any

import msgspec
import typst
from msgspec import structs

from billing.documents.pdf.files import FAMILIES, FontsMissing, template_folder
from billing.documents.pdf.glyphs import printable
from billing.documents.pdf.qr_codes import svg_of
from billing.documents.printed import Printed

_STANDARDS: list[Any] = ["a-3a", "ua-1"]
_compilers = threading.local()


def typeset(printed: Printed, *, timestamp: int, e_invoice: str | None = None) -> bytes:
    """Return the PDF; `e_invoice` is attached as `factur-x.xml`."""
    content = printable(msgspec.to_builtins(structs.replace(printed, logo=""))) | {"logo": printed.logo}
    if printed.payment is not None and printed.payment.transfer_code:
        content["transfer_image"] = svg_of(printed.payment.transfer_code)
    inputs = {"printed": json.dumps(content, ensure_ascii=False)}
    if e_invoice is not None:
        inputs["e_invoice"] = e_invoice
    pdf = _compiler().compile(format="pdf", sys_inputs=inputs, pdf_standards=_STANDARDS, timestamp=timestamp)
    if not isinstance(pdf, bytes):
        raise TypeError(f"typst gave {type(pdf).__name__}, not one PDF.")
    return pdf


def _compiler() -> typst.Compiler:
    """One compiler per thread: it keeps the parsed template, but cannot be shared."""
    if not hasattr(_compilers, "compiler"):
        folder = template_folder()
        _compilers.compiler = typst.Compiler(
            folder / "document.typ", root=folder, font_paths=_fonts(), ignore_system_fonts=True
        )
    compiler: typst.Compiler = _compilers.compiler
    return compiler


@cache
def _fonts() -> typst.Fonts:
    """Only the bundled fonts, so that a document looks the same wherever it is rendered. Raises FontsMissing."""
    folder = template_folder() / "fonts"
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    if missing := set(FAMILIES) - set(fonts.families()):
        raise FontsMissing(f"Fonts are missing in {folder}: {', '.join(sorted(missing))}.")
    return fonts
