"""Random sequences of adjusting, undoing, keeping and refreshing, against a model that knows no close.

The model has no credits: regularization = U, h = U unless a refill is set. It adds up in fractions of cents.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from billing.domain.quantities import MICRO
from billing.models import Adjustment
from billing.usecases.adjust_invoice import AddedLine, Change, Discount, Note, Refill, Skip, UnableToAdjust
from organizations.models import Organization
from tests.builders.adjusting import confirm, conflicts_of, draft_of, try_adjust, undo
from tests.builders.closing import broken_promises, close, consume, invoice_of, issue, make_charge, make_metered_price
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

CHARGES = (800_00, 49_99, 1)


@dataclass
class Model:
    """What is used and charged, and the adjustments in force by id."""

    used_cents: int
    charges: dict[str, int]
    in_force: dict[int, Change] = field(default_factory=dict)

    def subtotal_cents(self) -> int:
        """Everything once, less what is off each line, less what is off the whole."""
        changes = self.in_force.values()
        skipped = {change.target for change in changes if isinstance(change, Skip)}
        lines = {"regularization:2026-10": self.used_cents}
        lines |= {key: cents for key, cents in self.charges.items() if key not in skipped}
        for id_, change in self.in_force.items():
            if isinstance(change, AddedLine):
                lines[f"line:{id_}"] = change.quantity_micro // MICRO * (change.unit_price_micro // 10_000)
        left = sum(lines.values())
        for target, cents in lines.items():
            left -= min(cents, self._off(target, cents))
        left -= min(left, self._off("", left))
        refills = [change.amount_cents for change in changes if isinstance(change, Refill)]
        return left + (refills[-1] if refills else self.used_cents)

    def _off(self, target: str, base_cents: int) -> int:
        wanted = 0
        for change in self.in_force.values():
            if isinstance(change, Discount) and change.target == target:
                share = Decimal(base_cents) * (change.percent_ppm or 0) / 1_000_000
                wanted += int(share.quantize(Decimal(1), ROUND_HALF_UP)) + (change.amount_cents or 0)
        return wanted


def random_change(chance: Random, model: Model) -> Change:
    lines = list(model.charges) + [f"line:{id_}" for id_ in model.in_force] + ["regularization:2026-10", ""]
    match chance.randrange(8):
        case 0 | 1:
            return AddedLine("Extra", chance.randint(1, 3) * MICRO, chance.randint(1, 300_00) * 10_000)
        case 2 | 3:
            return Discount(chance.choice(lines), percent_ppm=chance.randint(1, 1_000_000))
        case 4:
            return Discount(chance.choice(lines), amount_cents=chance.randint(1, 200_00))
        case 5:
            return Refill(chance.randint(0, 400_00))
        case 6:
            return Skip(chance.choice(lines))
        case _:
            return Note("Thank you")


@pytest.mark.parametrize("seed", [0, 1, *[pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6)]])
def test_every_step_leads_where_the_model_says(seed: int) -> None:
    chance = Random(seed)
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 1, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    for cents in CHARGES:
        make_charge(organization=atlas, unit_cents=cents)
    close("2026-10")
    charges = {f"one_shot:{charge.pk}": charge.unit_price_micro // 10_000 for charge in atlas.charges.all()}
    model = Model(100_00, charges)
    assert invoice_of(atlas, "2026-10").subtotal_cents == model.subtotal_cents() == 200_00 + sum(CHARGES)

    for _ in range(14):
        _step(chance, atlas, model)
        draft = draft_of(atlas)
        assert draft is not None
        assert draft.subtotal_cents == model.subtotal_cents(), model

    _issue_or_decide(atlas, model)
    assert broken_promises() == []


def _step(chance: Random, atlas: Organization, model: Model) -> None:
    what = chance.randrange(10)
    if what < 6:
        change = random_change(chance, model)
        try:
            model.in_force[try_adjust(atlas, change).adjustment.pk] = change
        except UnableToAdjust:
            return
    elif what < 8 and model.in_force:
        id_ = chance.choice(list(model.in_force))
        undo(atlas, Adjustment.objects.get(pk=id_))
        del model.in_force[id_]
    elif what == 8:
        consume(atlas, quantity=500, on="2026-10-05")
        model.used_cents += 5_00
        close("2026-10")
    else:
        _keep_what_can_be_kept(atlas)


def _keep_what_can_be_kept(atlas: Organization) -> None:
    for note in conflicts_of(atlas):
        try:
            confirm(atlas, Adjustment.objects.get(pk=note["values"]["adjustment"]))
        except UnableToAdjust:
            continue


def _issue_or_decide(atlas: Organization, model: Model) -> None:
    """With conflicts nothing is issued; decided one way or the other, it is, for the total of the model."""
    if invoice_of(atlas, "2026-10").open_findings:
        assert [refused.reason.code for refused in issue("2026-10").not_issued] == ["open_findings"]
        _keep_what_can_be_kept(atlas)
    while notes := conflicts_of(atlas):
        id_ = notes[0]["values"]["adjustment"]
        undo(atlas, Adjustment.objects.get(pk=id_))
        del model.in_force[id_]
    assert issue("2026-10").not_issued == []
    invoice = invoice_of(atlas, "2026-10")
    assert (invoice.document_state, invoice.subtotal_cents) == ("issued", model.subtotal_cents())


def test_undoing_everything_after_anything_gives_back_the_plain_draft() -> None:
    chance = Random(99)
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 1, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    make_charge(organization=atlas)
    close("2026-10")
    plain = invoice_of(atlas, "2026-10")
    model = Model(100_00, {f"one_shot:{atlas.charges.get().pk}": 800_00})
    for _ in range(25):
        change = random_change(chance, model)
        try:
            model.in_force[try_adjust(atlas, change).adjustment.pk] = change
        except UnableToAdjust:
            continue
    in_force = list(Adjustment.objects.all())
    assert len(in_force) > 5
    chance.shuffle(in_force)

    for adjustment in in_force:
        undo(atlas, adjustment)

    after = invoice_of(atlas, "2026-10")
    assert (after.fingerprint, after.open_findings, after.pk) == (plain.fingerprint, 0, plain.pk)
