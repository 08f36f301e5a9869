"""Every method of every view: what it does, takes, answers and refuses."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from billing.api import closes, credits, focus, forecasts, invoices, objects  # noqa: A004  # a module, and a word of the domain
from billing.api.problems import CONTENT_TYPE
from billing.api.schema import security  # noqa: F401  # registers how a key is shown
from billing.api.schema.components import Schema, page_of, ref
from billing.api.schema.refusals import refusal
from billing.api.schema.types import TYPES
from billing.api.schema.words import WORDS
from billing.api.usage import NDJSON, UsageView
from billing.api.views import KeyView

_ALWAYS = (401, 403, 429, 503)
_BODY = (400, 411, 413, 415)


class Operation(NamedTuple):
    """One method. `takes` and `gives` are names of components; a page of them when `is_list`."""

    name: str
    summary: str
    gives: str | None = None
    takes: str | None = None
    is_list: bool = False
    parameters: Sequence[OpenApiParameter] = ()
    refuses: tuple[int, ...] = ()
    more: str = ""


def parameter(
    name: str, sentence: str, example: Any, *, schema: Any = str, place: Literal["query", "path"] = "query"
) -> OpenApiParameter:
    """One parameter of an address."""
    examples = [OpenApiExample(name, value=example)]
    return OpenApiParameter(name, schema, place, required=place == "path", description=sentence, examples=examples)


def example_of(name: str) -> Schema:
    """An object with the examples of its fields."""
    fields = TYPES[name].__struct_fields__
    found = {field: (WORDS.get(f"{name}.{field}") or WORDS[field])[1] for field in fields}
    return {field: value for field, value in found.items() if field != "scope" or name != "Problem"}


CURSOR = parameter(
    *("cursor", "The `next` of the page before.", "4711"), schema={"type": "string", "pattern": r"^[0-9]{1,18}$"}
)
NO_NUL = {"type": "string", "pattern": r"^[^\x00]*$"}
ORGANIZATION = parameter("organization", "Only of this organization.", "orga_5d0", schema=NO_NUL)
MONTH = parameter(
    "month", "Consumption month.", "2026-10", schema={"type": "string", "pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])$"}
)
CLOSE_MONTH = parameter("month", "Consumption month.", "2026-10", place="path")
RECORDED: Schema = {
    "type": "object",
    "description": "What was recorded: its reference or name, and whether that changed anything.",
    "properties": {
        "reference": {"type": "string", "description": "The reference that was sent.", "examples": ["MIG-7"]},
        "name": {"type": "string", "description": "The name that was sent, of a coupon.", "examples": ["WELCOME"]},
        "status": {"enum": ["accepted", "unchanged"], "description": "`unchanged`: the same was recorded before."},
    },
    "required": ["status"],
}
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"},
    OpenApiParameter.HEADER,
    description="The same key with the same body gives the same answer, for a week; with another body 422.",
    examples=[OpenApiExample("key", value="5f0c1f3e-8a52-4c52-9a61-0d6f0b8f2f10")],
)
USAGE_WORDS = (
    "A JSON list, or one record a line; at most 50,000 records and 64 MiB, unpacked; gzip is welcome "
    "(`Content-Encoding: gzip`). Good records are stored even when others are bad; the same batch again changes "
    "nothing. A record counts once per source and event within the month in which it starts."
)


def limit(default: int, most: int) -> OpenApiParameter:
    """How many items a page has."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": min(default, most)}
    return parameter("limit", "Items of a page.", 50, schema=schema)


PAGE = (CURSOR, limit(100, 1_000))


def _objects(what: str, plural: str, name: str, key: str, filters: Sequence[OpenApiParameter]) -> tuple[Any, Any]:
    """The operations of a list and of one of its objects."""
    address = parameter("identity", f"The `{key}` of the object; slashes are written %2F.", WORDS[key][1], place="path")
    one = {
        "GET": Operation(f"read_{name}", f"Read {what}", plural, parameters=[address], refuses=(400, 404)),
        "PUT": Operation(
            f"put_{name}",
            f"Create or change {what}",
            plural,
            plural,
            parameters=[address],
            refuses=(404, 409, 422),
            more=f"The `{key}` of the body is that of the address. The same again changes nothing.",
        ),
    }
    list_title = f"List {what.partition(' ')[2]}s"  # without its article
    return {"GET": Operation(f"list_{name}s", list_title, plural, is_list=True, parameters=filters)}, one


_organizations = _objects("an organization", "Organization", "organization", "id", [*PAGE, ORGANIZATION])
_resources = _objects("a resource", "Resource", "resource", "id", [*PAGE, ORGANIZATION])
_add_ons = _objects("an add-on", "AddOn", "add_on", "id", [*PAGE, ORGANIZATION])
_plans = _objects("an add-on plan", "AddOnPlan", "add_on_plan", "code", PAGE)
_STATES = {"type": "string", "enum": list(invoices.STATES)}
_INSTANT = {"type": "string", "format": "date-time"}
_NUMBER = parameter("number", "Number of the document.", "F20261101-000042", place="path")
_BALANCE_OF = parameter("identity", "Identifier of the organization.", "orga_5d0", place="path")


def _record(name: str, what: str, component: str) -> Mapping[str, Operation]:
    more = "The same again changes nothing; other content under the same reference is refused."
    return {"POST": Operation(name, what, None, component, parameters=[IDEMPOTENCY], refuses=(409, 422), more=more)}


OPERATIONS: Mapping[type[KeyView], Mapping[str, Operation]] = {
    UsageView: {"POST": Operation("report_usage", "Report usage", "UsageReport", "UsageRecord", more=USAGE_WORDS)},
    objects.OrganizationListView: _organizations[0],
    objects.OrganizationView: _organizations[1],
    objects.ResourceListView: _resources[0],
    objects.ResourceView: _resources[1],
    objects.AddOnListView: _add_ons[0],
    objects.AddOnView: _add_ons[1],
    objects.AddOnPlanListView: _plans[0],
    objects.AddOnPlanView: _plans[1],
    objects.ChargesView: _record("add_charge", "Add a charge to the next invoice", "Charge"),
    objects.CreditGrantsView: _record("grant_credits", "Grant credits, usable at once", "CreditGrant"),
    objects.CouponsView: _record("create_coupon", "Create a coupon", "Coupon"),
    invoices.InvoicesView: {
        "GET": Operation(
            "list_invoices",
            "List invoices and credit notes",
            "Invoice",
            is_list=True,
            parameters=[
                *(CURSOR, limit(100, invoices.MAX_DOCUMENTS), MONTH, ORGANIZATION),
                parameter("state", "Only in this state.", "pending", schema=_STATES),
                parameter(
                    "changed_since",
                    "Only those that were computed, issued, paid, credited or held since.",
                    "2026-11-01T00:00:00Z",
                    schema=_INSTANT,
                ),
            ],
        )
    },
    invoices.InvoiceView: {
        "GET": Operation("read_invoice", "Read an issued document", "Invoice", parameters=[_NUMBER], refuses=(400, 404))
    },
    closes.MonthClosesView: {
        "GET": Operation("list_month_closes", "List month closes", "MonthClose", is_list=True, parameters=PAGE)
    },
    closes.MonthCloseView: {
        "GET": Operation(
            *("read_month_close", "Read a month close with its counts and totals", "MonthCloseReport"),
            parameters=[CLOSE_MONTH],
            refuses=(400, 404),
        )
    },
    closes.OutcomesView: {
        "GET": Operation(
            *("list_outcomes", "List what became of each organization", "Outcome"),
            is_list=True,
            parameters=[
                *(CLOSE_MONTH, *PAGE, ORGANIZATION),
                parameter(
                    *("outcome", "Only these.", "blocked"), schema={"type": "string", "enum": list(closes.OUTCOMES)}
                ),
            ],
            refuses=(404,),
        )
    },
    credits.CreditBalanceView: {
        "GET": Operation(
            *("read_credit_balance", "Read the balance of credits", "CreditBalance"),
            parameters=[_BALANCE_OF],
            refuses=(400, 404),
        )
    },
    forecasts.ForecastView: {
        "GET": Operation(
            *("read_forecast", "Read the next invoice as it will probably be", "Forecast"),
            parameters=[_BALANCE_OF],
            refuses=(400, 404),
            more="By the code that closes months. 404 also for an organization that gets no invoice of its own.",
        )
    },
    focus.FocusView: {
        "GET": Operation(
            *("read_focus", "Read a month's invoices as a FOCUS 1.2 dataset (CSV)"),
            parameters=[CLOSE_MONTH, ORGANIZATION],
            refuses=(400, 404, 409),
            more="Per document, BilledCost sums to its total to the cent; otherwise there is no dataset (409).",
        )
    },
    credits.CreditEntriesView: {
        "GET": Operation(
            *("list_credit_entries", "List movements of credits", "CreditEntry"),
            is_list=True,
            parameters=[*PAGE, ORGANIZATION],
        )
    },
}
TAGS = {
    "closes": "Month closes",
    "credits": "Credits",
    "focus": "Invoices",
    "forecasts": "Invoices",
    "invoices": "Invoices",
    "usage": "Usage",
    "objects": "Objects",
}


def describe() -> None:
    """Give every view its description."""
    for view, operations in OPERATIONS.items():
        methods = {method.lower(): _describe(view, method, each) for method, each in operations.items()}
        extend_schema_view(**methods)(view)


def _describe(view: type[KeyView], method: str, operation: Operation) -> Any:
    scope = view.scopes[method]
    return extend_schema(
        operation_id=operation.name,
        summary=operation.summary,
        description=f"{operation.more}\n\nTakes the scope `{scope}`.".strip(),
        tags=[TAGS[view.__module__.rpartition(".")[2]]],
        parameters=list(operation.parameters),
        request=_request(operation) if operation.takes else None,
        responses={**_success(method, operation), **_refusals(method, operation)},
        examples=_examples(operation) if operation.takes else [],
    )


def _request(operation: Operation) -> Schema:
    if operation.takes == "UsageRecord":
        # A bad record is no bad request: it is rejected by itself.
        anything: Schema = {"description": "Anything else is rejected, by its index."}
        records = {"type": "array", "items": {"anyOf": [ref("UsageRecord"), anything]}, "maxItems": 50_000}
        return {"application/json": records, NDJSON: ref("UsageRecord")}
    return {"application/json": ref(str(operation.takes))}


def _examples(operation: Operation) -> list[OpenApiExample]:
    example: Any = example_of(str(operation.takes))
    example.pop("kind", None)
    if operation.takes == "UsageRecord":
        example = [example]
    return [OpenApiExample(f"{operation.name} request", value=example, request_only=True)]


def _success(method: str, operation: Operation) -> dict[Any, OpenApiResponse]:
    if method == "POST" and operation.gives is None:
        return {
            201: OpenApiResponse(RECORDED, "It was recorded."),
            200: OpenApiResponse(RECORDED, "It was recorded before: nothing changed."),
        }
    if operation.gives is None:
        return {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "The dataset.")}
    name = operation.gives
    schema = page_of(name) if operation.is_list else ref(name)
    example: Any = example_of(name)
    if operation.is_list:
        example = {"items": [example], "next": "4711"}
    shown = OpenApiExample(f"{operation.name} answer", value=example, response_only=True, status_codes=["200"])
    responses = {200: OpenApiResponse(schema, "What was asked for.", [shown])}
    if method == "PUT":
        responses[201] = OpenApiResponse(schema, "It is new.")
    return responses


def _refusals(method: str, operation: Operation) -> dict[Any, OpenApiResponse]:
    statuses = {*_ALWAYS, *operation.refuses, *(_BODY if operation.takes else (400,))}
    return {(status, CONTENT_TYPE): refusal(status) for status in sorted(statuses)}


describe()
