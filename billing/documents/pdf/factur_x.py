"""What makes a PDF with an attached e-invoice a Factur-X one: four properties in its metadata, and what they mean.

PDF/A allows a property in the metadata only when its schema is described there (ISO 19005-3, 6.6.2.3). typst writes
neither, so both are added by an incremental update (ISO 32000-1, 7.5.6): the new metadata, and where they are, follow
the untouched file. That takes microseconds; reading and writing the whole file took a quarter of a document's time.
"""

import hashlib
import re

FILE_NAME = "factur-x.xml"
CONFORMANCE_LEVEL = "EN 16931"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", FILE_NAME, "Name of the embedded e-invoice"),
    ("DocumentType", "INVOICE", "INVOICE, for credit notes too"),
    ("Version", "1.0", "Version of the e-invoice's schema"),
    ("ConformanceLevel", CONFORMANCE_LEVEL, "Profile of the e-invoice"),
)
_METADATA = re.compile(
    rb"\n(?P<number>\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(?P<xmp>.*?)\nendstream", re.DOTALL
)
_TRAILER = re.compile(
    rb"trailer\n<<(?P<entries>[^\[]*)/ID\[(?P<id>\([^)]*\))\([^)]*\)\]>>\nstartxref\n(?P<xref>\d+)\n%%EOF\s*"
)
_END_OF_SCHEMAS = b"</rdf:Bag></pdfaExtension:schemas>"
_END_OF_METADATA = b"</rdf:RDF>"


class UnexpectedPdf(ValueError):
    """The PDF is not written as typst writes it (another version?): its metadata cannot be found."""


def declare_factur_x(pdf: bytes) -> bytes:
    """Return a PDF of typst's, with `factur-x.xml` attached, as what it is."""
    # Both come last: after the pages, and after whatever is attached.
    metadata = _METADATA.search(pdf, max(0, pdf.rfind(b"/Type/Metadata/Subtype/XML") - 60))
    trailer = _TRAILER.fullmatch(pdf, max(0, pdf.rfind(b"trailer\n")))
    if metadata is None or trailer is None:
        raise UnexpectedPdf("The metadata or the trailer of the PDF are not where typst writes them.")
    xmp = _with_factur_x(metadata["xmp"])
    start = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    stream = b"%b 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%b\nendstream\nendobj\n" % (
        metadata["number"],
        len(xmp),
        xmp,
    )
    update = b"xref\n0 1\n0000000000 65535 f\r\n%b 1\n%010d 00000 n\r\ntrailer\n<<%b/Prev %b/ID[%b<%b>]>>\n" % (
        metadata["number"],
        len(start),
        trailer["entries"],
        trailer["xref"],
        trailer["id"],
        hashlib.sha256(xmp).hexdigest()[:32].encode(),
    )
    return start + stream + update + b"startxref\n%d\n%%%%EOF\n" % (len(start) + len(stream))


def _with_factur_x(xmp: bytes) -> bytes:
    properties = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value, _ in _PROPERTIES)
    description = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{properties}</rdf:Description>'
    for place in (_END_OF_SCHEMAS, _END_OF_METADATA):
        if xmp.count(place) != 1:
            raise UnexpectedPdf(f"The PDF's metadata do not contain {place.decode()} once.")
    xmp = xmp.replace(_END_OF_SCHEMAS, _schema().encode() + _END_OF_SCHEMAS)
    return xmp.replace(_END_OF_METADATA, description.encode() + _END_OF_METADATA)


def _schema() -> str:
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{meaning}</pdfaProperty:description>"
        "</rdf:li>"
        for name, _, meaning in _PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>"
        "</rdf:li>"
    )
