"""What may be a logo, and how it is printed."""

import io

import pikepdf
import pytest
from msgspec import structs
from PIL import Image

from billing.documents.pdf.logos import LogoRefused, checked_logo
from billing.documents.rendering import preview
from tests.builders.documents import SELLER, make_document

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><path fill="#3a3fb0" d="M0 0h40v10H0z"/></svg>'


def _png(width: int = 40, height: int = 10) -> bytes:
    image = io.BytesIO()
    Image.new("RGBA", (width, height), "#3a3fb080").save(image, "PNG")
    return image.getvalue()


def _svg(content: str) -> bytes:
    return SVG.replace("<path", f"{content}<path").encode()


@pytest.mark.parametrize("data", [SVG.encode(), _png(), _png(4_000, 8)], ids=["svg", "png", "wide png"])
def test_a_logo_is_printed_with_the_name_for_those_who_cannot_see_it(data: bytes) -> None:
    document = make_document(seller=structs.replace(SELLER, logo=checked_logo(data), iban=""))
    with pikepdf.open(io.BytesIO(preview(document))) as pdf:
        figures = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/Figure"]

    assert [str(figure.Alt) for figure in figures] == ["Nuage Clair SAS"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither a PNG nor"),
        (b"GIF89a", "neither a PNG nor"),
        (b"<html/>", "neither a PNG nor"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "neither a PNG nor"),
        (_svg("<script>alert(1)</script>"), "<script>"),
        (_svg('<text y="5">Atlas</text>'), "<text>"),
        (_svg('<use href="https://example.org/a.svg#b"/>'), "another file"),
        (_png()[:-20], "damaged"),
        (_png().replace(b"IDAT", b"IDAX"), "damaged"),
        (_png(4_001, 1), "4000 pixels"),
        (SVG.encode() + b" " * 200_000, "200 kB"),
    ],
)
def test_what_could_not_be_printed_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(LogoRefused, match=reason):
        checked_logo(data)
