"""Reading the outbox."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from billing.models import Event, Invoice, OutgoingMail

State = OutgoingMail.State
LATELY = timedelta(days=31)
"""For so long the first page of the desk tells that nobody got a document."""


def mails_of(invoice: Invoice) -> list[OutgoingMail]:
    """The e-mails with a document, oldest first."""
    return list(OutgoingMail.objects.filter(invoice=invoice).order_by("id"))


def count_due_mails(at: datetime, *, most: int) -> int:
    """How many e-mails are due, or were being sent by a worker that died, counting no further than `most`."""
    due = OutgoingMail.objects.filter(state__in=(State.WAITING, State.SENDING), not_before__lte=at)
    return due[:most].count()


def count_mails_to_decide() -> dict[OutgoingMail.State, int]:
    """How many e-mails will not be sent unless somebody decides it, by state; a partial index holds these."""
    undecided = OutgoingMail.objects.filter(~Q(state=State.SENT), state__in=(State.FAILED, State.UNCLEAR))
    counts = undecided.order_by("state").values_list("state").annotate(number=Count("pk"))
    return {State(state): number for state, number in counts}


def mailed_to_nobody(at: datetime) -> QuerySet[Event]:
    """What tells of lately stored documents that nobody was to get, unless somebody has sent them since."""
    sent_since = OutgoingMail.objects.filter(invoice=OuterRef("invoice"))
    return Event.objects.filter(~Exists(sent_since), kind="mail.nobody", at__gte=at - LATELY)


def mail_server_note() -> str:
    """What people should know about where e-mails go; nothing when a mail server takes them."""
    server = settings.MAILERS["default"]
    match server.get("BACKEND", "").removesuffix(".EmailBackend"):
        case "config.no_mail_server":
            return _("No mail server is set (EMAIL_URL): e-mails wait, for seven days at most.")
        case "django.core.mail.backends.filebased":
            folder = server["OPTIONS"]["file_path"]
            return _("E-mails are written to files in %(folder)s: none leaves this machine.") % {"folder": folder}
        case "django.core.mail.backends.smtp":
            return ""
        case _:
            return _("The mail server is a stand-in: no e-mail reaches anybody.")
