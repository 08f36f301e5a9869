"""Reading import files: every line is told what is wrong with it, and stops no other."""

import codecs
import json
from io import BytesIO

import pytest

from billing.models import Charge, Meter, Resource, UsageRecord
from billing.usecases.import_data import import_data
from organizations.models import Organization
from tests.builders.imports import (
    AT,
    BASICS,
    add_on_line,
    billing_object,
    charge_line,
    counts,
    coupon_line,
    grant_line,
    import_lines,
    meter_line,
    organization_line,
    payment_line,
    plan_line,
    price_line,
    reasons,
    resource_line,
    usage_line,
)

pytestmark = pytest.mark.django_db

ONE_OF_EACH = (
    organization_line(billing=billing_object()),
    organization_line("orga_lab", parent="orga_atlas"),
    resource_line(),
    usage_line(),
    plan_line(),
    add_on_line(),
    charge_line(),
    grant_line(),
    meter_line(),
    price_line(),
    coupon_line(),
    payment_line(),
)


def test_one_of_each_kind_then_the_same_again() -> None:
    assert counts(import_lines(*ONE_OF_EACH)) == (12, 0, 0)
    assert counts(import_lines(*ONE_OF_EACH)) == (0, 12, 0)


def test_order_does_not_matter() -> None:
    assert counts(import_lines(*reversed(ONE_OF_EACH))) == (12, 0, 0)
    assert counts(import_lines(*ONE_OF_EACH)) == (0, 12, 0)


def test_references_may_be_stored_already() -> None:
    for line in (*ONE_OF_EACH[:3], meter_line()):
        assert counts(import_lines(line)) == (1, 0, 0)

    assert counts(import_lines(usage_line())) == (1, 0, 0)


def test_a_bad_line_stops_no_other_and_all_are_named_in_order() -> None:
    report = import_lines(
        usage_line(meter="nothing"),  # 1: is known only when everything before it is stored
        b"{",  # 2
        *BASICS,  # 3, 4, 5
        charge_line(quantity="-1"),  # 6
        usage_line("e2"),  # 7
        organization_line("orga_child", parent="nobody"),  # 8
    )

    assert counts(report) == (4, 0, 4)
    assert list(reasons(report)) == [1, 2, 6, 8]
    assert UsageRecord.objects.count() == 1


def test_blank_lines_count_as_lines_but_mean_nothing() -> None:
    report = import_lines(b"", meter_line(), b"   \t", b"\r", b"broken")

    assert counts(report) == (1, 0, 1)
    assert list(reasons(report)) == [5]


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    text = codecs.BOM_UTF8 + b"\r\n".join(json.dumps(line).encode() for line in (meter_line(), plan_line()))

    assert counts(import_data(stream=BytesIO(text), at=AT)) == (2, 0, 0)


def test_an_empty_file() -> None:
    assert counts(import_data(stream=BytesIO(b""), at=AT)) == (0, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_refused_with_a_sentence(encoding: str) -> None:
    text = "".join(json.dumps(line) + "\n" for line in (meter_line(), plan_line()))

    report = import_data(stream=BytesIO(text.encode(encoding)), at=AT)

    assert report.accepted == 0
    assert "UTF-16" in reasons(report)[1]


def test_a_line_in_latin_1_is_refused_the_others_are_not() -> None:
    latin = json.dumps(meter_line("m.é"), ensure_ascii=False).encode("latin-1")

    report = import_lines(latin, meter_line("m.e"))

    assert counts(report) == (1, 0, 1)
    assert "not UTF-8" in reasons(report)[1]


def test_bytes_that_are_no_text_at_all() -> None:
    assert "not UTF-8" in reasons(import_lines(b"\x80\xff", meter_line()))[1]


def test_accents_and_emoji_arrive_as_they_are() -> None:
    import_lines(organization_line(name="Société Générale d’Épices 🎉"))

    assert Organization.objects.get().name == "Société Générale d’Épices 🎉"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", "The line is not valid JSON: Input data was truncated."),
        (json.dumps(meter_line()).encode() + b" {}", "The line is not valid JSON: trailing characters (byte 103)."),
        (b"kind: meter", "The line is not valid JSON: invalid character (byte 0)."),
        (b"[]", "An object is expected, not a list."),
        (b"12", "An object is expected, not a whole number."),
        (b"{}", "The field kind is missing."),
        (b'{"kind":"invoice"}', "kind: 'invoice' is not known."),
        (b'{"kind":7}', "kind: text in quotes is expected."),
        (b'{"kind":"meter","code":"x"}', "The field name is missing."),
        (b'{"a":' * 100_000, "The line is nested too deeply."),
        (b"[" * 100_000, "An object is expected, not a list."),
    ],
)
def test_lines_that_are_no_object_of_the_format(line: bytes, sentence: str) -> None:
    assert reasons(import_lines(line)) == {1: sentence}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (meter_line(colour="red"), "There is no field colour."),
        (organization_line(billing=billing_object(fax="1")), "billing: there is no field fax."),
        (price_line(tiers=[{"up_to": None, "unit_price": "1", "x": 1}]), "tiers[0]: there is no field x."),
        (meter_line(code=""), "code: it is empty."),
        (meter_line(code=None), "code: text in quotes is expected, not null."),
        (meter_line(code=12), "code: text in quotes is expected, not a whole number."),
        (meter_line(code=["a"]), "code: text in quotes is expected, not a list."),
        (meter_line(code="x" * 101), "code: it is longer than 100 characters."),
        (meter_line(code="x\0"), "code: it holds a NUL character."),
        (organization_line(billing=billing_object(city="\0")), "billing.city: it holds a NUL character."),
        (
            charge_line(type="gift"),
            "type: 'gift' is not one of one_shot, custom_service (charges), free, prepaid (credit grants).",
        ),
        (charge_line(quantity=1), "quantity: text in quotes is expected, not a whole number."),
        (charge_line(date="2026-02-30"), "date: a date is written such as 2026-10-31."),
        (charge_line(date="20.10.2026"), "date: a date is written such as 2026-10-31."),
        (charge_line(date="0001-01-01"), "date: the year 1 is out of range."),
        (charge_line(date="9999-12-31"), "date: the year 9999 is out of range."),
        (organization_line(forecast_months=-1), "forecast_months: a number >= 0 is expected."),
        (organization_line(forecast_months=True), "forecast_months: a whole number is expected, not true or false."),
        (organization_line(payment_term_days=10**30), "payment_term_days: a number <= 32767 is expected."),
        (price_line(tiers=[]), "tiers: the list is empty."),
        (usage_line(start="2026-10-01T10:00:00"), "start: a time needs an offset from UTC, or Z."),
        (usage_line(start="yesterday"), "start: a time is written such as 2026-10-31T23:59:59Z."),
        (usage_line(event_id="x" * 201), "event_id: it is longer than 200 characters."),
        (usage_line(zone="x" * 51), "zone: it is longer than 50 characters."),
    ],
)
def test_fields_that_cannot_be_read(line: dict[str, object], sentence: str) -> None:
    report = import_lines(*BASICS, line)  # type: ignore[arg-type]  # given by the test

    assert reasons(report) == {4: sentence}
    assert counts(report) == (3, 0, 1)


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"meter","code":"a","code":"b","name":"n","unit":"u","category":"c"}',
        b'{"kind":"meter","kind":"meter","code":"b","name":"n","unit":"u","category":"c"}',
        json.dumps(usage_line()).encode()[:-1] + b',"quantity":"7"}',
        json.dumps(usage_line()).encode()[:-1] + b',"zone":null}',
        json.dumps(usage_line(zone=None)).encode()[:-1] + b',"zone":null}',
        json.dumps({key: value for key, value in usage_line().items() if key != "zone"}).encode()[:-1]
        + b',"quantity":"3600"}',
        json.dumps(organization_line(billing={"city": "Nancy"})).encode().replace(b'"Nancy"', b'"Nancy","city":"Metz"'),
    ],
)
def test_a_field_that_is_written_twice(line: bytes) -> None:
    report = import_lines(*BASICS, line)

    assert "is written twice." in reasons(report)[4]
    assert not UsageRecord.objects.exists()


def test_a_usage_line_may_hold_quotes_and_lack_its_zone() -> None:
    plain = {key: value for key, value in usage_line().items() if key != "zone"}
    report = import_lines(*BASICS, {**plain, "event_id": 'say "hi"'}, {**plain, "event_id": "e3", "zone": None})

    assert counts(report) == (5, 0, 0)
    assert set(UsageRecord.objects.values_list("zone", flat=True)) == {""}


@pytest.mark.parametrize("escape", [b"\\ud800", b"\\udc00", b"\\ud83dx"])
def test_half_a_character(escape: bytes) -> None:
    report = import_lines(json.dumps(meter_line("XX")).encode().replace(b"XX", escape), meter_line())

    assert counts(report) == (1, 0, 1)
    assert "JSON" in reasons(report)[1]


def test_a_line_that_never_ends_does_not_fill_the_memory() -> None:
    class Endless(BytesIO):
        longest = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.longest = max(self.longest, size or 0)
            assert size
            assert size > 0
            return super().readline(size)

    stream = Endless(b'{"kind":"meter","name":"' + b"x" * 5_000_000 + b'"}\n' + json.dumps(meter_line()).encode())

    report = import_data(stream=stream, at=AT)

    assert counts(report) == (1, 0, 1)
    assert reasons(report) == {1: "The line is longer than one mebibyte."}
    assert stream.longest < 2_000_000


def test_what_the_database_alone_refuses_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import IntegrityError

    from billing.usecases import import_data as module
    from billing.usecases._imports.resources import store_resources

    def fragile(lines, importing):  # type: ignore[no-untyped-def]  # as fragile as it gets
        if any(line.id == "app_3" for _, line in lines):
            raise IntegrityError("no room")
        return store_resources(lines, importing)

    rounds = [(fragile if store is store_resources else store, kinds) for store, kinds in module.ROUNDS]
    monkeypatch.setattr(module, "ROUNDS", rounds)

    report = import_lines(organization_line(), *(resource_line(f"app_{number}") for number in range(7)))

    assert reasons(report) == {5: "The database refuses it: no room"}
    assert Resource.objects.count() == 6


def test_thousands_of_refusals_come_back_in_order() -> None:
    report = import_lines(*(charge_line(f"C{number}", organization=f"o{number}") for number in range(3_000)))

    assert list(reasons(report)) == list(range(1, 3_001))
    assert not Charge.objects.exists()


def test_batches_see_what_earlier_batches_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    from billing.usecases import import_data as module

    monkeypatch.setattr(module, "LINES_PER_BATCH", 2)
    lines = [usage_line(f"e{number}") for number in range(5)]

    assert counts(import_lines(*lines, *lines, *BASICS, meter_line("apps.M"), meter_line("apps.m"))) == (9, 6, 0)
    assert Meter.objects.count() == 2
