"""Four months in fast motion: what the platform reports, what finance does and who pays, each on its day."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import batched, groupby
from zoneinfo import ZoneInfo

from billing.demo import desk, people
from billing.demo.accounts import Json
from billing.demo.feed import as_file
from billing.demo.logo import LOGO
from billing.demo.months import LAST, FourMonths, office_hour
from billing.demo.names import SELLER
from billing.demo.payments import payments_of
from billing.demo.price_list import WELCOME
from billing.demo.world import World
from billing.documents.rendering import render
from billing.domain.periods import Month
from billing.models import Coupon, CouponUse, LegalEntity, NumberSeries
from billing.queries.mails import mail_server_note
from billing.queries.months import local_day
from billing.usecases.apply_coupon import apply_coupon
from billing.usecases.close_month import close_month
from billing.usecases.deliver_mail import deliver_mail
from billing.usecases.describe_seller import describe_seller
from billing.usecases.import_data import import_data
from billing.usecases.issue_invoices import issue_invoices
from billing.usecases.send_mail import Outcome, send_mail
from billing.usecases.set_logo import set_logo
from billing.usecases.work_on_documents import work_on_documents
from organizations.models import Organization

AFTER_THE_SCENES = 28
LATE_USAGE_DAY = 12
"""Of the last month: what a site that was cut off measured the month before arrives at last."""

OBJECTS_PER_FILE = 50_000
DONE = (Outcome.SENT, Outcome.GIVEN_UP)
"""What an e-mail ends with; anything else waits for another day."""

type Say = Callable[[str], None]


class NotADemo(Exception):
    """The database holds organizations that are not the demo's; nothing was changed."""


class RefusedData(Exception):
    """A use case does not take what the demo made up: one of the two is wrong."""


def find_months(at: datetime, zone: ZoneInfo) -> FourMonths:
    """Return the months of the story that was begun in this database, or of one that begins now.

    Raises NotADemo for a database with somebody's own organizations.
    """
    begun = Coupon.objects.filter(name=WELCOME).first()
    if begun is not None and begun.valid_from is not None:
        return FourMonths(Month.of_day(begun.valid_from, zone))
    if Organization.objects.exists():
        raise NotADemo("This database holds organizations that are not the demo's: give the demo one of its own.")
    return FourMonths.ending_before(at, zone)


def play(world: World, *, at: datetime, say: Say) -> None:
    """Bring the database to the end of the story, however far an earlier run came: every step may be repeated.

    What would lie after `at` happens then. Raises RefusedData.
    """
    _Player(world, at, say).play()


class _Player:
    def __init__(self, world: World, at: datetime, say: Say) -> None:
        self._world, self._months = world, world.months
        self._now, self._say = at, say

    def play(self) -> None:
        """All of it."""
        self._open()
        for month in range(LAST):
            if not self._is_over(month):
                self._close(month)
                self._issue(month)
                self._collect(month)
                desk.work(self._months, month, self._clock)
                self._deliver(self._months.months[month].next.first_day.replace(day=AFTER_THE_SCENES))
        self._load(self._world.late_usage(), self._morning(self._months.day(LAST, LATE_USAGE_DAY)))
        self._close(LAST)
        desk.work(self._months, LAST, self._clock)
        self._say(f"{self._months.months[LAST]}: the finance team has begun to review")
        so_far = self._load(self._world.usage_so_far(local_day(self._now)), self._now)
        self._say(f"{self._months.in_progress}: {so_far:,} usage records so far")

    def _open(self) -> None:
        self._load(self._world.catalogue(), self._months.first.start)
        if not LegalEntity.objects.get().address:
            set_logo(legal_entity=describe_seller(**SELLER), svg=LOGO, actor=None)
        people.hire()
        self._say("The seller and its price list are there.")

    def _is_over(self, month: int) -> bool:
        """Whether an earlier run came past this month: invoices of a later one are issued."""
        dates = NumberSeries.objects.filter(last_date__gt=self._months.issued_on(month))
        return dates.filter(kind=NumberSeries.Kind.INVOICE).exists()

    def _close(self, month: int) -> None:
        """Let everything about a month become known, early on the 1st, and generate its drafts."""
        period, after = self._months.months[month], self._months.known_after(month)
        news = self._load(self._world.news(month), after)
        self._say(f"{period}: {news:,} customers, resources, add-ons and the like")
        self._use_coupons(month)
        self._say(f"{period}: {self._load(self._world.usage(month), after):,} usage records")
        closed = close_month(month=period, at=self._clock(after + timedelta(hours=1)))
        self._say(f"{period}: closed, invoices: {closed.invoices}, nil: {closed.nil}, blocked: {closed.blocked}")

    def _use_coupons(self, month: int) -> None:
        used = set(CouponUse.objects.values_list("coupon__name", "organization__external_id"))
        for account in self._world.accounts:
            coupon = account.coupon
            if coupon and coupon.month == month and (coupon.name, account.id) not in used:
                organization = Organization.objects.get(external_id=account.id)
                at = self._morning(self._months.day(month, coupon.day))
                apply_coupon(coupon_name=coupon.name, organization=organization, user=None, at=at)

    def _issue(self, month: int) -> None:
        day = self._months.issued_on(month)
        report = issue_invoices(month=self._months.months[month], at=self._morning(day), issue_date=day)
        self._say(f"{self._months.months[month]}: {len(report.numbers)} invoices issued on {day}")

        self._deliver(day)

    def _deliver(self, day: date) -> None:
        """Store the files of what is issued and send them, to where nothing leaves this machine."""
        stored = sent = 0
        for hours in (1, 2):  # the second time: what an earlier run, killed meanwhile, had begun
            at = self._morning(day) + timedelta(hours=hours)
            while (worked := work_on_documents(render=render, at=at)).taken:
                stored += worked.stored
            # A real mail server is not for people that are made up.
            while mail_server_note() and (outcome := send_mail(send=deliver_mail, at=at)) in DONE:
                sent += outcome is Outcome.SENT
        if stored:
            self._say(f"{day}: {stored} documents rendered, {sent} e-mails written")

    def _collect(self, month: int) -> None:
        """Import the account statement of every day on which money arrived."""
        payments = sorted(payments_of(self._world, month), key=lambda payment: payment.day)
        for day, of_day in groupby(payments, key=lambda payment: payment.day):
            self._load((payment.line for payment in of_day), self._morning(day))
        self._say(f"{self._months.months[month]}: {len(payments)} payments received")

    def _load(self, objects: Iterable[Json], at: datetime) -> int:
        """Import objects as of an instant, a file of so many after the other; return how many there were."""
        count = 0
        for chunk in batched(objects, OBJECTS_PER_FILE, strict=False):
            if count:
                self._say(f"  {count:,} and counting")
            report = import_data(stream=as_file(chunk), at=self._clock(at))
            for refusal in report.refusals:
                raise RefusedData(f"An object of the demo is refused: {refusal.reason}")
            count += len(chunk)
        return count

    def _morning(self, day: date) -> datetime:
        return self._clock(office_hour(day, self._months.first))

    def _clock(self, at: datetime) -> datetime:
        return min(at, self._now)
