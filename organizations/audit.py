"""Which rows leave an entry in the log of configuration changes (django-auditlog), and which of their columns.

The log hears of rows that are saved one at a time, by hand or by a use case. What is written many at once (imports of
several organizations, closes) bypasses it: usage, drafts and ledgers have events and constraints of their own, and a
row per row would double the cost of the largest writes there are.
"""

from collections.abc import Iterable

from auditlog.registry import auditlog
from django.db.models import Model


def audit(model: type[Model], *, leaving_out: Iterable[str] = (), relations: Iterable[str] = ()) -> None:
    """Log who creates, changes or deletes a row: every column but those left out; `relations` are many-to-many."""
    left_out = {*leaving_out, model._meta.pk.name}
    columns = [field.name for field in model._meta.concrete_fields if field.name not in left_out]
    # Without a list of its own, auditlog would read reverse relations as well.
    auditlog.register(model, include_fields=columns, m2m_fields=set(relations))


def audit_people_and_customers() -> None:
    """Called once all models are there."""
    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import Group

    from organizations.models import BillingProfile, Membership, MemberToken, Organization, User

    audit(Organization, leaving_out=["discount_author", "refill_author"])  # the entry says who
    audit(BillingProfile)
    audit(Membership)
    audit(MemberToken, leaving_out=["digest", "last_used_at"])
    audit(User, leaving_out=["password", "last_login"], relations=["groups", "user_permissions"])
    audit(Group, relations=["permissions"])
    audit(Authenticator, leaving_out=["data", "last_used_at"])
