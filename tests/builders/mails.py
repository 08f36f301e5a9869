"""E-mails with documents, and people who get them."""

from datetime import datetime

from billing.models import Invoice, OutgoingMail
from organizations.models import BillingProfile, Membership, Organization, User
from tests.builders.archive import store
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization


def make_member(organization: Organization, email: str, role: str, *, is_active: bool = True) -> User:
    """Store a person and a role in the organization."""
    user = User.objects.create_user(email, is_active=is_active)
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


def make_customer(*, language: str = "en", email: str = "billing@example.org") -> Organization:
    """Store an organization that gets its invoices at an address."""
    organization = make_organization()
    BillingProfile.objects.filter(organization=organization).update(language=language, email=email)
    return organization


def make_mail(*, organization: Organization | None = None, at: datetime | None = None) -> OutgoingMail:
    """Store an issued invoice of 12.00 with its files; returns the e-mail that is queued for it."""
    return mail_of(issue_and_store(organization or make_customer(), at=at))


def issue_and_store(organization: Organization, *, fees_cents: int = 1_000, at: datetime | None = None) -> Invoice:
    """Store an issued invoice with its files."""
    invoice = make_invoice(organization=organization, status="pending", fees_cents=fees_cents, estimate_cents=0)
    store(invoice, at=at)
    return invoice


def mail_of(invoice: Invoice) -> OutgoingMail:
    """The first e-mail of a document."""
    mail = invoice.mails.order_by("id").first()
    assert mail is not None
    return mail
