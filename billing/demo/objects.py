"""NDJSON objects (interfaces, section 2) that belong to an account."""

from datetime import date

from billing.demo import chance
from billing.demo.accounts import Account, Json


def make_add_on(account: Account, plan: str, name: str, started_on: date) -> Json:
    """A subscription without an end."""
    return {
        "kind": "add_on",
        "id": chance.identifier("addon", f"{account.id} {plan}"),
        "organization": account.id,
        "plan": plan,
        "name": name,
        "started_on": f"{started_on}",
        "ended_on": None,
        "quantity": 1,
    }


def make_charge(
    account: Account,
    reference: str,
    description: str,
    unit_price: str,
    day: date,
    *,
    quantity: int = 1,
    type_: str = "one_shot",
) -> Json:
    """A one-shot operation, or a custom service."""
    return {
        "kind": "charge",
        "reference": reference,
        "organization": account.id,
        "type": type_,
        "description": description,
        "quantity": f"{quantity}",
        "unit_price": unit_price,
        "date": f"{day}",
    }


def make_free_credits(
    account: Account, reference: str, amount: str, starts_on: date, expires_on: date, reason: str
) -> Json:
    """Free credits up to a day."""
    return {
        "kind": "credit_grant",
        "reference": reference,
        "organization": account.id,
        "type": "free",
        "amount": amount,
        "starts_on": f"{starts_on}",
        "expires_on": f"{expires_on}",
        "priority": 0,
        "reason": reason,
    }


def make_opening_balance(account: Account, amount: str, starts_on: date) -> Json:
    """Prepaid credits that were sold elsewhere."""
    return {
        "kind": "credit_grant",
        "reference": f"BALANCE-{account.seed:05d}",
        "organization": account.id,
        "type": "prepaid",
        "amount": amount,
        "starts_on": f"{starts_on}",
        "reason": "Balance taken over from the former billing system",
    }
