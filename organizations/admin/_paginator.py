"""Pages of a list of any length: counting stops early, for nobody turns 200 pages."""

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

COUNTED_ROWS = 10_000

# A partitioned table has no rows of its own, and its statistics are those of its partitions.
ESTIMATE = """
SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
WHERE relkind = 'r' AND oid IN (
    SELECT %s::regclass::oid UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass
)
"""


class DeskPaginator(Paginator[Model]):
    """Counts at most 10,000 rows and pages through those; what lies beyond is reached by search, filter or sorting."""

    template_name = "admin/desk_pagination.html"

    @cached_property
    def _counted(self) -> int:
        return self._rows.order_by()[: COUNTED_ROWS + 1].count()

    @cached_property
    def count(self) -> int:
        """The number of rows that pages reach."""
        return min(self._counted, COUNTED_ROWS)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than pages reach."""
        return self._counted > COUNTED_ROWS

    @cached_property
    def about(self) -> int | None:
        """How many rows there are, about; None when only the database's own statistics could tell and do not."""
        connection = connections[self._rows.db]
        if not self.is_cut or self._rows.query.where or connection.vendor != "postgresql":
            return None
        table = connection.ops.quote_name(self._rows.model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(ESTIMATE, [table, table])
            estimate: int = cursor.fetchone()[0]
        return estimate if estimate > COUNTED_ROWS else None

    @property
    def _rows(self) -> QuerySet[Model]:
        assert isinstance(self.object_list, QuerySet)  # noqa: S101  # the change list gives one
        return self.object_list
