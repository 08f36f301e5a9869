"""Sentences of the domain, which knows no languages. Listed for translators: the desk looks them up as they are."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    # billing.domain.pricing
    _("A price needs at least one tier."),
    _("The last tier must be open: without a bound, so that every quantity has a price."),
    _("Only the last tier may be open."),
    _("The bounds of the tiers must be above zero and ascend from tier to tier."),
    _("A unit price must be a number and not negative."),
    _("The quantity that a unit price is for must be above zero."),
    _("A package must be above zero."),
    # billing.domain.taxation
    _("This EU company has no VAT number: it is charged VAT like a consumer."),
    _("The VAT number of this EU company is not a valid one of its country: it is charged VAT like a consumer."),
    _("This EU customer has a VAT number but is not marked as a company: it is charged VAT like a consumer."),
    # billing.domain.numbering
    _("The template must contain {counter}, otherwise numbers would repeat."),
    # billing.usecases
    _("A grant gives more than nothing."),
    _("A payment needs a reference."),
    _("An issued invoice was rated with this price: add a new version instead."),
    # organizations.usecases
    _("An organization cannot be billed on its own invoice as its sub-organization."),
    _("It has sub-organizations, so it cannot become one: there is one level only."),
)
