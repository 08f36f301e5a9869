"""The objects of the import format: put and read organizations and the like, post what is recorded once."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model
from django.utils import timezone
from msgspec import json
from rest_framework.request import Request

from billing.api.bodies import MIB, read_body
from billing.api.pages import PAGING, Readers, answer_page, read_page, read_query
from billing.api.problems import Problem, not_found
from billing.api.views import KeyView, ok
from billing.queries.platform_objects import as_object, platform_objects
from billing.usecases.answer_once import Answer, OtherRequest, answer_once
from billing.usecases.store_object import KINDS, ObjectKind, ObjectRefused, StoredObject, store_object

JSON = ("application/json",)
# What cannot be read, what no such object can be; the rest contradicts what is stored, or itself.
STATUS_OF = {"malformed_json": 400, "invalid_object": 422}
MAX_IDEMPOTENCY_KEY = 255


class _StoringView(KeyView):
    """Reads the body of one object and stores it."""

    kind: ClassVar[ObjectKind]

    def read(self, request: Request) -> bytes:
        """The body."""
        return read_body(request._request, media_types=JSON, limit=MIB)[0]

    def store(self, raw: bytes, identity: str | None = None) -> StoredObject:
        """Call the use case."""
        try:
            return store_object(
                kind=self.kind,
                raw=raw,
                identity=identity,
                organization_id=self.key.organization_id,
                at=timezone.now(),
            )
        except ObjectRefused as refused:
            raise Problem(STATUS_OF.get(refused.code, 409), refused.code, str(refused)) from refused


class ListView(KeyView):
    """All objects of a kind."""

    kind: ClassVar[ObjectKind]

    def get(self, request: Request) -> Any:
        """One page."""
        readers: Readers = {**PAGING, "organization": str} if self.kind != "add_on_plan" else PAGING
        values = read_query(request.query_params, readers)
        rows = platform_objects(self.kind, organization_id=self.key.organization_id)
        if "organization" in values:
            column = "external_id" if self.kind == "organization" else "organization__external_id"
            rows = rows.filter(**{column: values["organization"]})
        return ok(answer_page(rows, read_page(values), _as_objects))


class ObjectView(_StoringView):
    """One object, by the identifier in its address."""

    def get(self, request: Request, identity: str) -> Any:
        """The object as it would be put."""
        read_query(request.query_params, {})
        row = self._find(identity)
        if row is None:
            raise not_found()
        return ok(as_object(row))

    def put(self, request: Request, identity: str) -> Any:
        """Create or update it."""
        raw = self.read(request)
        is_new = self._find(identity) is None
        self.store(raw, identity)
        row = self._find(identity)
        if row is None:
            raise not_found()
        return ok(as_object(row), status=201 if is_new else 200)

    def _find(self, identity: str) -> Model | None:
        if "\0" in identity:
            return None
        rows = platform_objects(self.kind, organization_id=self.key.organization_id)
        column = "code" if self.kind == "add_on_plan" else "external_id"
        found: Model | None = rows.filter(**{column: identity}).first()
        return found


class RecordView(_StoringView):
    """What is recorded once: the same again changes nothing, also under another Idempotency-Key."""

    def post(self, request: Request) -> Any:
        """Record it, once per Idempotency-Key if there is one."""
        raw = self.read(request)
        name = request.headers.get("Idempotency-Key")
        if name is None:
            answer, is_repeated = self._record(raw), False
        else:
            answer, is_repeated = self._record_once(raw, name)
        headers = {"Idempotent-Replayed": "true"} if is_repeated else {}
        return ok(json.decode(answer.body), status=answer.status, headers=headers)

    def _record(self, raw: bytes) -> Answer:
        stored = self.store(raw)
        body = {KINDS[self.kind].key: stored.identity, "status": "accepted" if stored.is_changed else "unchanged"}
        return Answer(201 if stored.is_changed else 200, json.encode(body).decode())

    def _record_once(self, raw: bytes, name: str) -> tuple[Answer, bool]:
        if not 1 <= len(name) <= MAX_IDEMPOTENCY_KEY or not name.isprintable():
            sentence = f"An Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} printable characters."
            raise Problem(400, "invalid_idempotency_key", sentence)
        try:
            return answer_once(
                api_key_id=self.key.pk,
                idempotency_key=name,
                request=f"{self.request.method} {self.request.path}\n".encode() + raw,
                work=lambda: self._record(raw),
                at=timezone.now(),
            )
        except OtherRequest as error:
            raise Problem(422, "idempotency_key_reused", str(error)) from error


def _as_objects(rows: Sequence[Model]) -> list[dict[str, Any]]:
    return [as_object(row) for row in rows]


_READS, _WRITES = "organizations:read", "organizations:write"


class OrganizationListView(ListView):
    kind = "organization"
    scopes = {"GET": _READS}


class OrganizationView(ObjectView):
    kind = "organization"
    scopes = {"GET": _READS, "PUT": _WRITES}


class ResourceListView(ListView):
    kind = "resource"
    scopes = {"GET": _READS}


class ResourceView(ObjectView):
    kind = "resource"
    scopes = {"GET": _READS, "PUT": _WRITES}


class AddOnListView(ListView):
    kind = "add_on"
    scopes = {"GET": _READS}


class AddOnView(ObjectView):
    kind = "add_on"
    scopes = {"GET": _READS, "PUT": _WRITES}


class AddOnPlanListView(ListView):
    kind = "add_on_plan"
    scopes = {"GET": "catalogue:read"}


class AddOnPlanView(ObjectView):
    kind = "add_on_plan"
    scopes = {"GET": "catalogue:read", "PUT": "catalogue:write"}


class ChargesView(RecordView):
    kind = "charge"
    scopes = {"POST": "charges:write"}


class CreditGrantsView(RecordView):
    kind = "credit_grant"
    scopes = {"POST": "credits:write"}


class CouponsView(RecordView):
    kind = "coupon"
    scopes = {"POST": "coupons:write"}
