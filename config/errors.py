"""What somebody gets when something failed that nobody foresaw: programs a problem, people a page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from billing.api.problems import SERVER_ERROR
from billing.api.problems import server_error as answer_program
from billing.api.v4.views import as_clients_read


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer with status 500."""
    if request.path.startswith("/api/"):
        return answer_program(request)
    if request.path.startswith("/v4/"):
        return JsonResponse(as_clients_read(SERVER_ERROR.body()), status=SERVER_ERROR.status)
    return defaults.server_error(request)
