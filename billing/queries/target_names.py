"""How adjustments call the lines that they are about."""

from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _

from billing.domain.adjustments import line_key
from billing.models import AddOn, Adjustment, Charge, InvoiceLine
from billing.queries.wording import line_description


def names_of_lines(lines: Iterable[InvoiceLine]) -> dict[str, str]:
    """The lines that are printed, by key; an add-on by its name, because it may have several."""
    return {line_key(line): line.name if line.kind == "add_on" else line_description(line) for line in lines}


def names_of_targets(adjustments: Collection[Adjustment], lines: Iterable[InvoiceLine]) -> dict[str, str]:
    """The lines that adjustments are about, those that are not printed (any more) too: two queries at most."""
    names = names_of_lines(lines)
    names |= {f"line:{row.pk}": row.name for row in adjustments if row.kind == Adjustment.Kind.LINE}
    missing = {row.target for row in adjustments if row.target and row.target not in names}
    add_ons = _ids(missing, "add_on")
    charges = _ids(missing, "one_shot") | _ids(missing, "custom_service")
    if add_ons:
        names |= {f"add_on:{id_}": name for id_, name in AddOn.objects.filter(id__in=add_ons).values_list("id", "name")}
    if charges:
        rows = Charge.objects.filter(id__in=charges).values_list("id", "type", "description")
        names |= {f"{kind}:{id_}": description for id_, kind, description in rows}
    for target in missing:
        names.setdefault(target, _missing_name(target))
    return names


def _ids(targets: Iterable[str], kind: str) -> set[int]:
    parts = (target.partition(":") for target in targets)
    return {int(number) for found, _colon, number in parts if found == kind and number.isdecimal()}


def _missing_name(target: str) -> str:
    kind, _colon, rest = target.partition(":")
    if kind == "regularization":
        return _("Regularization of %(month)s") % {"month": rest}
    return _("the credits provision") if kind == "provision" else _("a line that is gone")
