"""The archive: a place for every issued document, and files that are still what was stored; and what was sent."""

from collections.abc import Iterator

from django.db.models import F, QuerySet

from billing.models import ArchivedDocument, OutgoingMail
from billing.queries.archive import State, sha256_of
from billing.queries.verification._promises import Broken, Register, found, invoice_name, issued, name

PROMISES = Register()


def stored() -> QuerySet[ArchivedDocument]:
    """Documents that have their files."""
    return ArchivedDocument.objects.filter(state=State.STORED)


@PROMISES.promise(
    "An issued document has its place in the archive, and nothing else has.",
    things="issued documents",
    population=issued,
)
def places() -> Iterator[Broken]:
    yield from found(issued().filter(archived=None), (), lambda: "It is not in the archive: it will never be rendered.")
    strangers = ArchivedDocument.objects.exclude(invoice__document_state="issued")
    yield from found(strangers, (), lambda: "It is in the archive, but not issued.", prefix="invoice__")


@PROMISES.promise(
    "The files of a stored document are there and are what was stored.", things="stored documents", population=stored
)
def files() -> Iterator[Broken]:
    """Reads every file, a piece of one at a time."""
    columns = ("pdf_name", "pdf_sha256", "xml_name", "xml_sha256", *invoice_name("invoice__"))
    for pdf, pdf_sha256, xml, xml_sha256, *document in stored().order_by("invoice").values_list(*columns).iterator():
        for file, expected in ((pdf, pdf_sha256), (xml, xml_sha256)):
            if sentence := _broken(file, expected):
                yield Broken(name(*document), sentence)


@PROMISES.promise(
    "An e-mail carries an issued document of its organization.", things="e-mails", population=OutgoingMail.objects.all
)
def mails() -> Iterator[Broken]:
    drafts = OutgoingMail.objects.exclude(invoice__document_state="issued")
    yield from found(drafts, ("recipient",), "It is for {}, but not issued.".format, prefix="invoice__")
    others = OutgoingMail.objects.exclude(invoice__organization=F("organization"))
    yield from found(others, ("recipient",), "It is for {} of another organization.".format, prefix="invoice__")


def _broken(file: str, expected: str) -> str:
    try:
        is_as_stored = sha256_of(file) == expected
    except FileNotFoundError:
        return f"Its file {file} is not there."
    except OSError as error:
        return f"Its file {file} cannot be read: {error}."
    return "" if is_as_stored else f"Its file {file} is not what was stored: the SHA-256 does not fit."
