"""What makes a PDF with an attached e-invoice a Factur-X one: four properties in its metadata, and what they mean.

PDF/A allows a property in the metadata only when its schema is described there (ISO 19005-3, 6.6.2.3).
"""

import io

import pikepdf

FILE_NAME = "factur-x.xml"
CONFORMANCE_LEVEL = "EN 16931"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", FILE_NAME, "Name of the embedded e-invoice"),
    ("DocumentType", "INVOICE", "INVOICE, for credit notes too"),
    ("Version", "1.0", "Version of the e-invoice's schema"),
    ("ConformanceLevel", CONFORMANCE_LEVEL, "Profile of the e-invoice"),
)
_END_OF_SCHEMAS = "</rdf:Bag></pdfaExtension:schemas>"
_END_OF_METADATA = "</rdf:RDF>"


def declare_factur_x(pdf: bytes) -> bytes:
    """Return a PDF with `factur-x.xml` attached as what it is; its metadata already describe other schemas."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        metadata = document.Root.Metadata.read_bytes().decode()
        document.Root.Metadata.write(_with_factur_x(metadata).encode())
        declared = io.BytesIO()
        document.save(
            declared, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=False
        )
    return declared.getvalue()


def _with_factur_x(metadata: str) -> str:
    properties = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value, _ in _PROPERTIES)
    description = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{properties}</rdf:Description>'
    for place in (_END_OF_SCHEMAS, _END_OF_METADATA):
        if metadata.count(place) != 1:
            raise ValueError(f"The PDF's metadata do not contain {place} once.")
    metadata = metadata.replace(_END_OF_SCHEMAS, _schema() + _END_OF_SCHEMAS)
    return metadata.replace(_END_OF_METADATA, description + _END_OF_METADATA)


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
