"""Errors as problem details (RFC 9457): a stable `code` for programs, a sentence for people.

HTTP/1.1 403 Forbidden
Content-Type: application/problem+json

{"type":"about:blank","title":"Forbidden","status":403,"code":"missing_scope","detail":"The key lacks …"}
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # as RFC 9110 names them


class Problem(exceptions.APIException):
    """What a request is answered with instead of what it asked for."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        super().__init__(detail, code)
        self.status, self.code, self.sentence = status, code, detail
        self.headers = dict(headers or {})
        self.extensions = extensions

    def body(self) -> dict[str, Any]:
        """The members of the problem."""
        return {
            "type": "about:blank",
            "title": TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.sentence,
            **self.extensions,
        }


def not_found(detail: str = "There is nothing at this address, or this key may not see it.") -> Problem:
    """What does not exist, or belongs to somebody else: the answer does not tell which."""
    return Problem(404, "not_found", detail)


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn what a view raised into a problem; None for what is our own fault."""
    problem = _problem_of(error)
    if problem is None:
        return None
    return Response(problem.body(), status=problem.status, headers=problem.headers, content_type=CONTENT_TYPE)


def _problem_of(error: Exception) -> Problem | None:
    match error:
        case Problem():
            return error
        case Http404() | exceptions.NotFound():
            return not_found()
        case exceptions.APIException():
            return _problem_of_framework(error)
        case UnreadablePostError():
            return Problem(400, "incomplete_body", "The body ended before its announced length.")
        case SuspiciousOperation():  # a thousand parameters, for instance
            return Problem(400, "malformed_request", "The request is not one that this server reads.")
        case IntegrityError() | DataError():
            log.warning("The database refuses what the rules let pass", exc_info=error)
            return Problem(409, "conflict", "This contradicts what is stored, or what is being stored now.")
        case OperationalError():
            log.error("The database could not do it now", exc_info=error)
            return Problem(503, "try_again", "Not now: send it again in a moment.", headers={"Retry-After": "1"})
    return None


def _problem_of_framework(error: exceptions.APIException) -> Problem:
    match error:
        case exceptions.NotAuthenticated():
            sentence = "Show a key: Authorization: Bearer <key>."
            return Problem(401, "missing_key", sentence, headers=_challenge(error))
        case exceptions.AuthenticationFailed():
            return Problem(401, "unknown_key", str(error.detail), headers=_challenge(error))
        case exceptions.Throttled():
            wait = str(ceil(getattr(error, "wait", None) or 1))
            sentence = f"Too many requests with this key: wait {wait} seconds."
            return Problem(429, "too_many_requests", sentence, headers={"Retry-After": wait})
    return Problem(error.status_code, str(error.default_code), str(error.detail))  # a 405: the view adds Allow


def _challenge(error: exceptions.APIException) -> dict[str, str]:
    return {"WWW-Authenticate": str(getattr(error, "auth_header", "Bearer"))}


SERVER_ERROR = Problem(500, "server_error", "This failed, and has been written down. Nothing was stored.")


def server_error(request: HttpRequest) -> JsonResponse:
    """What nobody foresaw; the log says more than a program should read."""
    return JsonResponse(SERVER_ERROR.body(), status=SERVER_ERROR.status, content_type=CONTENT_TYPE)


def no_such_address(request: HttpRequest) -> JsonResponse:
    """Whatever is below /api/ and no view."""
    problem = not_found()
    return JsonResponse(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
