"""What somebody gets when something failed that nobody foresaw: programs a problem, people a page."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from billing.api.problems import server_error as answer_program

PROGRAMS = ("/api/", "/v4/")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer with status 500."""
    if request.path.startswith(PROGRAMS):
        return answer_program(request)
    return defaults.server_error(request)
