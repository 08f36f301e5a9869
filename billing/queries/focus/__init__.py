"""What an organization was invoiced for a month as a FOCUS 1.2 dataset, the FinOps Foundation's open format.

An invoice says its money twice (domain page, section 5): regularization + provision + D, and fees + net use of
credits. The dataset tells it the second way, because that is where resources are; the sums are the same.

    the document                       ChargeCategory   BilledCost             EffectiveCost
    ---------------------------------  ---------------  ---------------------  --------------------------------------
    usage details, a row per tier      Usage            their amounts          = BilledCost
    discount on consumption            Adjustment       <= 0                   = BilledCost
    used free credits c                Credit           <= 0                   = BilledCost: nobody ever paid for them
    used prepaid credits e             Credit           <= 0                   0: the usage above bears what they cost
    credits provision h                Purchase         h                      0: it covers usage to come
    add-ons, one-shots, services       Purchase         their net amounts      = BilledCost
    adjustments, discounts             Adjustment       their net amounts      = BilledCost
    a tax subtotal                     Tax              its VAT                VAT of the EffectiveCost of its rows
                                                        -----------
                                                        the total, VAT included

What holds, or `FocusMismatch` is raised before the first row of the document:

- per document, BilledCost sums to its total; a credit note is negative, and sums to minus its total.
- Regularizations are no rows: usage, discount and credits sum to them. In a credit note, which has no usage, they are.
- EffectiveCost spreads prepaid credits over the usage that they pay, so over the life of an account it sums to
  BilledCost, but for the rounding of VAT, and for what goes back to credits without a document (late usage that made
  a month cheaper).

BilledCost and EffectiveCost are cents. ListCost and ContractedCost are unit price x PricingQuantity (twelve decimals,
the limit of both), so they are the amount before its rounding; where there is no unit price they are BilledCost. The
list price of a line is the price that it was rated with, for a negotiated one too: the catalogue is not consulted.

Late usage and credit notes correct what was invoiced before: ChargeClass "Correction", with the month or the invoice
that they are about as charge period and `x_CorrectedInvoiceId`. The billing period of all rows is the consumption
month. A sub-organization is a sub account, the paying organization is the billing account. Texts are English.
"""

from billing.queries.focus.columns import FocusRow
from billing.queries.focus.dataset import FocusMismatch, focus_of_month, focus_of_organization
from billing.queries.focus.files import CONTENT_TYPE, focus_file

__all__ = ["CONTENT_TYPE", "FocusMismatch", "FocusRow", "focus_file", "focus_of_month", "focus_of_organization"]
