"""Buttons on a page that call a use case: the button, its dialog (a page where there is no script), its refusal.

GET  …/<id>/do/<name>/            the dialog
POST …/<id>/do/<name>/ preview    the dialog with the effect that saving would have; nothing is written
POST …/<id>/do/<name>/            one use case; then back to the page, or the dialog with the sentence that refused it

An action that `needs_fresh_factor` first asks for the second factor, unless that was given within the last minutes
(settings.FRESH_FACTOR_MINUTES), and comes back to what was typed, which waits in the session. Only where
settings.REQUIRE_STAFF_MFA says so.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from billing.usecases._permissions import NotAllowed
from organizations.models import User
from organizations.sign_in import second_factor

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _Admin
    from django_stubs_ext import StrOrPromise
else:

    class _Admin:
        """The mixin stands before a class that has what it calls."""

        @classmethod
        def __class_getitem__(cls, _):
            return cls


SAVE = _("Save")
# What was typed waits in the session while the second factor is asked for: addresses end up in logs and histories.
TYPED, KEPT_CHARACTERS, KEPT_SECONDS = "desk_typed", 20_000, 15 * 60


class Effect(NamedTuple):
    """One figure that saving would change; cents."""

    label: str
    currency: str
    before_cents: int
    after_cents: int


class ActionForm[M: Model](forms.Form):
    """What a person is asked before a use case runs. `refusals` are the use case's own errors: sentences."""

    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    has_effect: ClassVar[bool] = False

    def __init__(self, *args: Any, target: M, actor: User, at: datetime, **kwargs: Any) -> None:
        self.target, self.actor, self.at = target, actor, at
        self.message = ""
        super().__init__(*args, **kwargs)

    @property
    def intro(self) -> str:
        """What the person should know before answering, such as which row of the page this is about."""
        return ""

    def perform(self) -> str:
        """Call one use case with `cleaned_data`, `target`, `actor` and `at`; return the sentence for the person."""
        raise NotImplementedError

    def effect(self) -> Sequence[Effect]:
        """What saving would change, computed by the use case that would save it; writes nothing."""
        return ()

    def attempt[R](self, call: Callable[[], R]) -> R | None:
        """Call a use case; what it refuses shows above the form."""
        expected: tuple[type[Exception], ...] = (NotAllowed, *self.refusals)
        try:
            return call()
        except expected as refusal:
            self.add_error(None, gettext(str(refusal)))
            return None


class ReasonForm[M: Model](ActionForm[M]):
    """Asks for the reason that every change of a document or of money leaves in its history."""

    reason = forms.CharField(
        label=capfirst(_("reason")), max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


@dataclass(frozen=True)
class PageAction[M: Model]:
    """A button on the page of a row. `is_offered` hides it where the use case would only refuse.

    `needs_fresh_factor` is for what issues documents, gives money or keys away: see `confirm_first`.
    `leads_to` gives the address where it goes on; without it that is the page again.
    """

    name: str
    title: "StrOrPromise"
    form: type[ActionForm[M]]
    permission: str
    icon: str = "edit"
    description: "StrOrPromise" = ""
    submit: "StrOrPromise" = SAVE
    is_offered: Callable[[M], bool] = lambda row: True
    needs_fresh_factor: bool = False
    leads_to: "Callable[[HttpRequest, M], str] | None" = None


class Button(NamedTuple):
    """A page action as a template shows it."""

    name: str
    title: str
    icon: str
    url: str


class ActionsMixin[M: Model](_Admin[M]):
    """Gives an admin `page_actions`, and their buttons to the template of its page."""

    page_actions: ClassVar[Sequence[PageAction[Any]]] = ()

    def get_urls(self) -> list[URLPattern]:
        """The dialogs, before Django's own patterns, which would take them for keys."""
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}_do"
        return [
            path("<path:object_id>/do/<slug:name>/", self.admin_site.admin_view(self.action_view), name=name),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, row: M) -> list[Button]:
        """The actions that this person may take on this row now."""
        return [
            Button(action.name, str(action.title), action.icon, self.action_url(row, action.name))
            for action in self.page_actions
            if action.is_offered(row) and request.user.has_perm(action.permission)
        ]

    def action_url(self, row: M, name: str) -> str:
        """Where the dialog of an action is. Further values go behind it as a query: they prefill the form."""
        meta = self.model._meta
        return reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_do", args=[row.pk, name])

    def action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask, and perform."""
        action = next((action for action in self.page_actions if action.name == name), None)
        row = self.get_object(request, unquote(object_id))
        if action is None or row is None or not self.has_view_permission(request, row):
            raise Http404
        if not isinstance(request.user, User) or not request.user.has_perm(action.permission):
            raise PermissionDenied
        if action.needs_fresh_factor and (question := confirm_first(request)):
            return question
        asked = request.POST if request.method == "POST" else None
        initial = request.GET.dict() | (_take_typed(request) if asked is None else {})
        form = action.form(asked, target=row, actor=request.user, at=timezone.now(), initial=initial)
        effect: Sequence[Effect] = ()
        if asked is not None and form.is_valid():
            if "preview" in asked:
                effect = form.attempt(form.effect) or ()
            elif message := form.attempt(form.perform):
                messages.success(request, message)
                return _go(request, action.leads_to(request, row)) if action.leads_to else self._leave(request, row)
        return self._show_dialog(request, row, action, form, effect)

    def _leave(self, request: HttpRequest, row: M) -> HttpResponse:
        meta = self.model._meta
        url = reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
        return _go(request, url)

    def _show_dialog(
        self, request: HttpRequest, row: M, action: PageAction[M], form: ActionForm[M], effect: Sequence[Effect]
    ) -> HttpResponse:
        in_dialog = "HX-Request" in request.headers
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": action.title,
            "row": row,
            "action": action,
            "action_url": request.get_full_path(),
            "form": form,
            "effect": effect,
            "in_dialog": in_dialog,
        }
        template = "admin/actions/dialog.html" if in_dialog else "admin/actions/page.html"
        return TemplateResponse(request, template, context)


class ButtonsPageMixin[M: Model](ActionsMixin[M]):
    """For an admin whose page is Django's own, under the buttons of what may be done."""

    change_form_template = "admin/buttons_page.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page with its buttons."""
        row = self.get_object(request, unquote(object_id))
        buttons = self.buttons(request, row) if row is not None else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "buttons": buttons})


def confirm_first(request: HttpRequest) -> HttpResponse | None:
    """Lead to the page that asks for the second factor, unless it was given just now; then back here, form filled in.

    For views that are no page action (a bulk job, a new key): `if question := confirm_first(request): return question`.
    """
    url = second_factor.confirmation(request, then=request.get_full_path())
    if url is None:
        return None
    typed = {name: value for name, value in request.POST.items() if name not in {"csrfmiddlewaretoken", "preview"}}
    if typed and sum(map(len, typed.values())) <= KEPT_CHARACTERS:
        request.session[TYPED] = {"path": request.path, "at": time.time(), "values": typed}
    return _go(request, url)


def _take_typed(request: HttpRequest) -> dict[str, str]:
    """What was typed here before the second factor was asked for; it is handed out once, and not for long."""
    kept = request.session.get(TYPED)
    if kept is None:
        return {}
    is_over = time.time() - kept["at"] > KEPT_SECONDS
    if is_over or kept["path"] == request.path:
        del request.session[TYPED]
    return {} if is_over or kept["path"] != request.path else dict(kept["values"])


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
