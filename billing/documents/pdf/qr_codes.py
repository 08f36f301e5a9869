"""QR codes as vector images."""

import io

import segno


def svg_of(text: str) -> str:
    """Draw a text as a QR code (error correction M, as the EPC guideline asks), to be scaled at will.

    The mask is given: any can be read, and comparing all eight takes three times as long.
    """
    image = io.BytesIO()
    code = segno.make_qr(text, error="m", boost_error=False, encoding="utf-8", mask=3)
    code.save(image, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True)
    return image.getvalue().decode()
