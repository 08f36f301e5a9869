"""What can be done about a customer's account from its page."""

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing import formatting
from billing.admin._actions import PageAction, ReasonForm
from billing.queries.closed_accounts import is_account_over
from billing.usecases._accounts import UnableToSettle
from billing.usecases.settle_closed_account import SettledAccount, settle_closed_account
from organizations.models import Organization


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
                "%(number)d credit note waits for a second person.",
                "%(number)d credit notes wait for a second person.",
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


ACCOUNT_ACTIONS: tuple[PageAction[Organization], ...] = (
    PageAction(
        "settle-account",
        _("Settle closed account"),
        SettleForm,
        "billing.credit_invoice",
        "account_balance_wallet",
        description=_("Pending refills are credited, unused prepaid credits refunded by credit notes."),
        submit=_("Settle"),
        is_offered=is_account_over,
    ),
)
