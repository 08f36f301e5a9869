"""What may be a logo: an SVG or PNG image that every document can be printed with.

A logo that typst or PDF/A refuses would stop all documents at once, so it is tried before it is kept. A PNG is kept as
an SVG that contains it: documents then know one kind of image only.
"""

import struct
import zlib
from base64 import b64encode
from xml.etree.ElementTree import ParseError

import typst
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

MAX_BYTES = 200_000
MAX_PIXELS = 4_000
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FORBIDDEN = ("script", "foreignObject", "text", "image", "style", "animate", "set")
_TRIAL = b'#set document(title: "Logo")\n= Logo\n#image(bytes(sys.inputs.logo), width: 4cm, alt: "Logo")'


class LogoRefused(ValueError):
    """The image cannot be printed; the message is a sentence for whoever chose it."""


def checked_logo(data: bytes) -> str:
    """Return the image as the SVG to keep. Raises LogoRefused."""
    if len(data) > MAX_BYTES:
        raise LogoRefused(_("The logo has more than %(limit)s kB.") % {"limit": MAX_BYTES // 1000})
    svg = _svg_with(data) if data.startswith(_PNG_SIGNATURE) else _checked_svg(data)
    try:
        typst.compile(_TRIAL, sys_inputs={"logo": svg}, pdf_standards=["a-3a", "ua-1"], ignore_system_fonts=True)
    except typst.TypstError as error:
        raise LogoRefused(_("The logo cannot be printed: %(reason)s") % {"reason": error}) from error
    return svg


def _checked_svg(data: bytes) -> str:
    """Refuse what is not an image by itself: programs, other files, letters whose font is somewhere else."""
    try:
        root = fromstring(data)
        text = data.decode()
    except (ParseError, DefusedXmlException, UnicodeDecodeError) as error:
        raise LogoRefused(_("The logo is neither a PNG nor a valid SVG image.")) from error
    if _local(root.tag) != "svg":
        raise LogoRefused(_("The logo is neither a PNG nor a valid SVG image."))
    for element in root.iter():
        if _local(element.tag) in _FORBIDDEN:
            raise LogoRefused(
                _("The logo contains <%(element)s>: save it with its text and styles as plain paths.")
                % {"element": _local(element.tag)}
            )
        if any(_local(name) == "href" and not value.startswith("#") for name, value in element.attrib.items()):
            raise LogoRefused(_("The logo refers to another file."))
    return text


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _svg_with(png: bytes) -> str:
    width, height = _checked_size(png)
    image = b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{image}"/></svg>'
    )


def _checked_size(png: bytes) -> tuple[int, int]:
    """Read width and height, and make sure that all chunks are whole, to the last."""
    at, kind, size = len(_PNG_SIGNATURE), b"", (0, 0)
    while kind != b"IEND":
        if at + 12 > len(png):
            raise LogoRefused(_("The PNG image is damaged."))
        length: int = struct.unpack_from(">L", png, at)[0]
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        checksum = png[at + 8 + length : at + 12 + length]
        if checksum != struct.pack(">L", zlib.crc32(kind + content)):
            raise LogoRefused(_("The PNG image is damaged."))
        if kind == b"IHDR":
            size = struct.unpack_from(">LL", content)
        at += 12 + length
    if not all(0 < pixels <= MAX_PIXELS for pixels in size):
        raise LogoRefused(_("The logo is to be at most %(pixels)s pixels wide and high.") % {"pixels": MAX_PIXELS})
    return size
