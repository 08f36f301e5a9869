"""What the makers of customers with a story share."""

from billing.demo import chance, names
from billing.demo.accounts import Account, Json
from billing.demo.months import FourMonths
from billing.demo.names import Place


def organization_id(name: str) -> str:
    """Return the identifier of a customer with a story."""
    return chance.identifier("orga", name)


def make_customer(index: int, months: FourMonths, name: str, billing: Json | None, **terms: object) -> Account:
    """A customer of long standing."""
    return Account(
        id=organization_id(name),
        seed=index,
        name=name,
        opened_on=months.before(5 + index, 1 + index),
        billing=billing,
        terms=terms,
    )


def make_company(index: int, months: FourMonths, name: str, place: Place, **terms: object) -> Account:
    """A company of long standing."""
    return make_customer(index, months, name, names.company(name, index, place), **terms)
