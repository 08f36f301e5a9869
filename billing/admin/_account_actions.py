"""What can be done about a customer's account from its page."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing import formatting
from billing.admin._actions import PageAction, ReasonForm
from billing.admin._crediting_actions import given_back_sentence
from billing.queries.closed_accounts import has_unbilled_usage, is_account_over
from billing.usecases._accounts import UnableToSettle
from billing.usecases.return_lowered_usage import return_lowered_usage
from billing.usecases.see_portal import UnableToSee, see_portal
from billing.usecases.settle_closed_account import SettledAccount, settle_closed_account
from organizations.models import Organization
from organizations.sign_in import visits


class GiveBackForm(ReasonForm[Organization]):
    """A closed account has no draft that would say so: for usage that arrived after its last invoice."""

    refusals = (UnableToSettle,)

    def perform(self) -> str:
        """Give it back."""
        given = return_lowered_usage(
            organization_id=self.target.pk, reason=self.cleaned_data["reason"], actor=self.actor, at=self.at
        )
        return given_back_sentence(given, self.target.currency)


class SettleForm(ReasonForm[Organization]):
    """Credits what nobody paid, refunds what nobody used."""

    refusals = (UnableToSettle,)

    def perform(self) -> str:
        """Settle it."""
        settled = settle_closed_account(
            organization_id=self.target.pk, reason=self.cleaned_data["reason"], actor=self.actor, at=self.at
        )
        return " ".join(_sentences(settled))


def _sentences(settled: SettledAccount) -> list[str]:
    sentences = []
    if settled.issued:
        numbers = ", ".join(str(note) for note in settled.issued)
        sentences.append(_t("Issued: %(numbers)s.") % {"numbers": numbers})
    if waiting := len(settled.waiting):
        sentences.append(
            ngettext(
                "%(number)d credit note waits for a second person or for the check of its e-invoice: then settle "
                "again.",
                "%(number)d credit notes wait for a second person or for the check of their e-invoices: then settle "
                "again.",
                waiting,
            )
            % {"number": waiting}
        )
    for grant in settled.unsold:
        amount = f"{formatting.format_amount(grant.remaining_cents)} {grant.currency}"
        sentences.append(
            _t("%(amount)s of %(grant)s were sold by no invoice: refund them by hand.")
            % {"amount": amount, "grant": grant}
        )
    return sentences or [_t("Nothing is left to settle.")]


def _has_late_usage(organization: Organization) -> bool:
    return is_account_over(organization) and has_unbilled_usage(organization)


class SeePortalForm(ReasonForm[Organization]):
    """Shows somebody what the customer's people see."""

    refusals = (UnableToSee,)

    def perform(self) -> str:
        """Write it down."""
        see_portal(organization_id=self.target.pk, reason=self.cleaned_data["reason"], actor=self.actor, at=self.at)
        minutes = visits.LASTS.seconds // 60
        return _t("You see this for %(minutes)d minutes, or until you go back.") % {"minutes": minutes}


def _visit(request: HttpRequest, organization: Organization) -> str:
    visits.start_visit(request, organization=organization.external_id, at=timezone.now())
    return reverse("portal:organization", args=[organization.external_id])


ACCOUNT_ACTIONS: tuple[PageAction[Organization], ...] = (
    PageAction(
        "see-portal",
        _("See the portal as this organization"),
        SeePortalForm,
        visits.PERMISSION,
        "visibility",
        description=_("You see what its Admins see, and can change nothing. The reason is kept in its history."),
        submit=_("Open the portal"),
        leads_to=_visit,
    ),
    PageAction(
        "settle-account",
        _("Settle closed account"),
        SettleForm,
        "billing.credit_invoice",
        "account_balance_wallet",
        description=_("Pending refills are credited, unused prepaid credits refunded by credit notes."),
        needs_fresh_factor=True,
        submit=_("Settle"),
        is_offered=is_account_over,
    ),
    PageAction(
        "give-back",
        _("Give back"),
        GiveBackForm,
        "billing.credit_invoice",
        "settings_backup_restore",
        description=_("Late usage made settled months cheaper: what was billed is credited, credits are returned."),
        needs_fresh_factor=True,
        submit=_("Give back"),
        is_offered=_has_late_usage,
    ),
)
