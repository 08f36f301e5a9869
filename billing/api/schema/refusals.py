"""What every operation may be refused with, in words."""

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from billing.api.schema.components import ref

PROBLEMS: Mapping[int, tuple[str, str, str]] = {
    400: ("Not readable: broken JSON or gzip, an unknown or unreadable parameter.", "malformed_json", "Bad Request"),
    401: ("No key, or one that is unknown, revoked or expired.", "missing_key", "Unauthorized"),
    403: ("The key lacks the scope.", "missing_scope", "Forbidden"),
    404: ("It does not exist, or the key may not see it.", "not_found", "Not Found"),
    409: (
        "It contradicts what is stored, such as an organization that does not exist.",
        "different_content",
        "Conflict",
    ),
    411: ("A body in chunks, which this server does not take.", "length_required", "Length Required"),
    413: ("Too large, also once unpacked; or too many records.", "body_too_large", "Content Too Large"),
    415: (
        "Another media type, or packed otherwise than with gzip.",
        "unsupported_media_type",
        "Unsupported Media Type",
    ),
    422: ("Readable, and refused: the sentence says what is wrong.", "invalid_object", "Unprocessable Content"),
    429: ("More requests than the key may make in a minute.", "too_many_requests", "Too Many Requests"),
    503: ("Not now; nothing was stored.", "try_again", "Service Unavailable"),
}


def refusal(status: int) -> OpenApiResponse:
    """The problem of a status, with an example."""
    sentence, code, title = PROBLEMS[status]
    problem = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": sentence}
    example = OpenApiExample(f"{status} {code}", value=problem, response_only=True, status_codes=[str(status)])
    return OpenApiResponse(ref("Problem"), sentence, [example])
