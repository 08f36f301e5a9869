"""The client that customers have, as published on npm, against a server: what it makes of the answers.

`npm install --prefix .ci --no-package-lock` fetches it; without Node or the package there is nothing to test.
"""

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from billing.models import Coupon, CreditGrant
from organizations.usecases.create_member_token import create_member_token
from tests.builders.archive import store
from tests.builders.credits import make_grant
from tests.builders.customers import make_member
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization

NODE = shutil.which("node")
ROOT = Path(__file__).parents[3]
PACKAGES = ROOT / ".ci" / "node_modules"

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif(NODE is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (PACKAGES / "@clevercloud" / "client").exists(), reason="npm install --prefix .ci --no-package-lock"
    ),
]


def run_client(*arguments: str) -> dict[str, Any]:
    script = ROOT / "tests" / "clients" / "v4.mjs"
    command = [str(NODE), str(script), str(PACKAGES), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_published_client_understands_the_answers(live_server: LiveServer) -> None:
    atlas = make_organization(external_id="orga_atlas", name="Atlas")
    alice, now = make_member("alice", atlas), timezone.now()
    september = make_invoice(organization=atlas, status="paid", month=date(2026, 9, 1), fees_cents=10_00)
    october = make_invoice(
        organization=atlas, status="pending", fees_cents=682_43, direct=[make_line(name="Backups", net_cents=50_00)]
    )
    note = make_credit_note(refers_to=october, net_cents=10_00)
    store(october)
    make_grant(organization=atlas, amount_cents=20_05, type="free")
    Coupon.objects.create(name="WELCOME", amount_cents=20_00)
    token = create_member_token(user=alice, name="client", at=now).token
    links = create_member_token(user=alice, name="links", at=now, downloads_only=True).token

    found = run_client(live_server.url, "orga_atlas", token, links, str(october.number), "WELCOME", "NO SUCH COUPON")

    assert {each["invoiceNumber"] for each in found["invoices"]} == {september.number, october.number, note.number}
    assert len(found["since"]) == 1
    assert [each["invoiceNumber"] for each in found["unpaid"]] == [october.number]
    invoice = found["invoice"]
    assert (invoice["invoiceNumber"], invoice["status"]) == (october.number, "PENDING")
    assert invoice["totalTaxExcluded"] == {"amount": october.subtotal_cents / 100, "currency": "EUR"}
    assert invoice["emissionDate"] == "2026-11-01T00:00:00.000Z"
    assert invoice["address"]["company"] == "Atlas SAS"
    assert sum(each["price"]["amount"] for each in invoice["uptimes"] + invoice["countables"]) == 682.43
    assert "Backups" in {each["description"] for each in invoice["classic"]}
    assert found["html"].lower().startswith("<!doctype html>")
    assert found["pdf"] == "%PDF-"
    assert (found["link"], found["linkWithOtherToken"]) == (200, 403)
    assert found["credits"]["freeCredit"] == 20.05
    assert found["prices"]["runtime"][0]["priceId"] == "apps.s"
    assert found["methods"] == []
    assert found["coupon"]["couponName"] == "WELCOME"
    assert found["coupon"]["appliedByUserId"] == str(alice.pk)
    assert CreditGrant.objects.filter(reason="WELCOME").count() == 1
    assert found["twice"] == {"code": "clever.credits.coupon.already-activated", "status": 400}
    assert found["unknown"] == {"code": "clever.credits.coupon.not-found", "status": 400}
    assert (found["elsewhere"], found["nowhere"]) == ([], None)
    assert found["stranger"]["status"] == 401

    older = found["older"]
    assert older["credits"] == {"prepaidCredit": 0, "freeCredit": 40.05, "currency": "EUR"}  # with the coupon's 20.00
    assert {each["invoice_number"] for each in older["invoices"]} == {october.number, note.number}
    assert [each["invoice_number"] for each in older["unpaid"]] == [october.number]
    assert (older["invoice"]["invoice_number"], older["page"]) == (october.number, 200)
    assert older["methods"] == []
    assert older["prices"]["runtime"] == older["ownPrices"]["runtime"] != []
    assert older["notThere"]["code"] == "method_not_allowed"  # nobody pays through this API
