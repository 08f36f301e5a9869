"""The commands that load data: what they print and how they end."""

import io
import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing.models import Meter, Price, UsageRecord
from tests.builders.imports import BASICS, Object, charge_line, meter_line, organization_line, usage_line

pytestmark = pytest.mark.django_db


def write(path: Path, *lines: Object | str) -> str:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return str(path)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_last_line_counts(tmp_path: Path) -> None:
    file = write(tmp_path / "data.ndjson", *BASICS, usage_line())

    assert run("import_data", file) == "accepted: 4, unchanged: 0, rejected: 0\n"
    assert run("import_data", file) == "accepted: 0, unchanged: 4, rejected: 0\n"


def test_rejected_lines_are_named_and_the_status_is_1(tmp_path: Path) -> None:
    file = write(
        tmp_path / "data.ndjson", usage_line(quantity="１２"), "{", "", charge_line(), *BASICS, usage_line("e2")
    )
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("import_data", file, stdout=out)

    assert ended.value.code == 1
    assert out.getvalue().splitlines() == [
        "line 1: '１２' is not a quantity: write digits and at most six decimals, such as 224674 or 0.25.",
        "line 2: The line is not valid JSON: Input data was truncated.",
        "accepted: 5, unchanged: 0, rejected: 2",
    ]
    assert UsageRecord.objects.get().event_id == "e2"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(organization_line()).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert run("import_data", "-") == "accepted: 1, unchanged: 0, rejected: 0\n"
    # It is not ours to close.
    assert not stdin.closed
    assert not stdin.buffer.closed


@pytest.mark.parametrize("command", ["import_data", "import_prices"])
def test_a_file_that_is_not_there(command: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Cannot read .*nothing\.json: No such file or directory\.$"):
        run(command, str(tmp_path / "nothing.json"))
    with pytest.raises(CommandError, match="Is a directory"):
        run(command, str(tmp_path))


class TestImportPrices:
    def file(self, path: Path, price: int) -> str:
        entry: Object = {"slug_id": "apps.S", "time_unit": "PT1H", "price": price}
        return write(path / "prices.json", {"zone_id": "par", "currency": "EUR", "runtime": [entry], "countable": []})

    def test_what_it_says(self, tmp_path: Path) -> None:
        file = self.file(tmp_path, 1)

        assert run("import_prices", file) == (
            "zone: par, currency: EUR, new meters: 1\nprices: 1 new, 0 changed, 0 unchanged\n"
        )
        assert run("import_prices", file).endswith("prices: 0 new, 0 changed, 1 unchanged\n")

    def test_a_changed_price_needs_a_day(self, tmp_path: Path) -> None:
        run("import_prices", self.file(tmp_path, 1))

        with pytest.raises(CommandError, match=r"^Prices have changed \(apps\.S\): say with --from since when\.$"):
            run("import_prices", self.file(tmp_path, 2))
        assert run("import_prices", self.file(tmp_path, 2), "--from", "2026-07-01").endswith(
            "prices: 0 new, 1 changed, 0 unchanged\n"
        )
        assert Price.objects.count() == 2

    @pytest.mark.parametrize("day", ["2026-02-30", "01.07.2026", "20260701", "tomorrow", "0001-01-01"])
    def test_a_day_that_is_none(self, tmp_path: Path, day: str) -> None:
        with pytest.raises(CommandError, match="is not a day: write YYYY-MM-DD"):
            run("import_prices", self.file(tmp_path, 1), "--from", day)
        assert not Meter.objects.exists()


def test_meters_of_the_file_are_known_to_its_usage(tmp_path: Path) -> None:
    file = write(tmp_path / "data.ndjson", usage_line(), meter_line("APPS.s"), *BASICS[:2])

    assert run("import_data", file) == "accepted: 4, unchanged: 0, rejected: 0\n"
