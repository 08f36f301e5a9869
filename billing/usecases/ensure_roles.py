"""The five groups of staff (domain page, section 8): what each may do is written here, and nowhere else."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

type Codenames = frozenset[str]


def _rights(verbs: str, *models: str) -> Codenames:
    return frozenset(f"{app}.{verb}_{name}" for app, name in (m.split(".") for m in models) for verb in verbs.split())


# What finance works with. Groups and the audit trail are only for the auditor.
SEEN = _rights(
    "view",
    *("organizations.organization", "organizations.billingprofile", "organizations.membership"),
    *("billing.resource", "billing.usagerecord", "billing.usagemonth", "billing.usagedetail"),
    *("billing.meter", "billing.price", "billing.pricetier", "billing.addonplan", "billing.addonplanprice"),
    *("billing.addon", "billing.charge", "billing.coupon", "billing.couponuse"),
    *("billing.creditgrant", "billing.creditentry", "billing.creditstatement"),
    *("billing.invoice", "billing.invoiceline", "billing.taxsubtotal"),
    *("billing.archiveddocument", "billing.outgoingmail", "billing.webhookendpoint", "billing.webhookdelivery"),
    *("billing.payment", "billing.allocation", "billing.refund", "billing.usagecorrection"),
    *("billing.monthclose", "billing.closebatch", "billing.closeoutcome", "billing.bulkjob", "billing.bulkjobitem"),
    *("billing.adjustment", "billing.acknowledgement", "billing.approval", "billing.event"),
    *("billing.reviewthresholds", "billing.approvalpolicy"),
    *("billing.legalentity", "billing.taxrate", "billing.numberseries", "billing.apikey"),
    *("billing.legaltext", "billing.exchangerate"),
) | {"billing.see_portal"}
ACCOUNTING = (
    _rights("add change", "organizations.organization", "organizations.billingprofile", "billing.addon")
    | _rights("add change delete", "organizations.membership", "billing.charge")
    | _rights("add", "billing.payment")
    | _rights("adjust settle", "billing.invoice")
    | _rights("send", "billing.outgoingmail")
    | _rights("resend", "billing.webhookdelivery")
    | _rights("view", "organizations.user")  # to choose the members of an organization
)
MANAGING = (
    _rights("add", "billing.creditgrant", "billing.couponuse")
    | _rights("add change delete", "billing.coupon", "billing.addon")
    | _rights("approve issue credit refund", "billing.invoice")
    | _rights("add change", "billing.apikey", "billing.webhookendpoint")
)
CONTROLLING = (
    _rights("add change delete", "billing.price", "billing.pricetier", "billing.addonplan", "billing.addonplanprice")
    | _rights("add change delete", "billing.meter", "billing.taxrate")
    | _rights("add change delete", "billing.reviewthresholds", "billing.legaltext", "billing.exchangerate")
    | _rights("change", "billing.legalentity", "billing.numberseries", "billing.approvalpolicy")
    | _rights("add change", "billing.apikey", "billing.webhookendpoint")
    | _rights("resend", "billing.webhookdelivery")
    | _rights("approve", "billing.invoice")
)
AUDITING = _rights(
    "view",
    *("organizations.user", "auth.group", "auth.permission", "mfa.authenticator"),
    *("admin.logentry", "auditlog.logentry"),
)

ROLES: dict[str, Codenames] = {
    "Viewer": SEEN,
    "Accountant": SEEN | ACCOUNTING,
    "Billing manager": SEEN | ACCOUNTING | MANAGING,
    "Controller": SEEN | CONTROLLING,
    "Auditor": SEEN | AUDITING,
}


@transaction.atomic
def ensure_roles(*, using: str = "default") -> None:
    """Create the groups that are missing and give each exactly its rights. Running it again changes nothing.

    Groups of other names are left alone: rights that differ belong into a group of one's own.
    """
    permissions = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in _permissions(frozenset().union(*ROLES.values()), using)
    }
    for name, rights in ROLES.items():
        group, _created = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set(permissions[right] for right in rights if right in permissions)


def _permissions(rights: Codenames, using: str) -> Iterable[Permission]:
    apps = {right.partition(".")[0] for right in rights}
    return Permission.objects.using(using).filter(Q(content_type__app_label__in=apps)).select_related("content_type")
