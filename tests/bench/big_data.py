"""A partner that has been at work for years: what one customer's history looks like, copied in bulk by the database."""

from __future__ import annotations

from django.db import connection

# Columns of a copied row that are not simply taken over. `n` counts the copies.
RUN = {
    "id": "uuidv7(n * interval '-10 minutes')",
    **{
        name: f"now() - n * interval '10 minutes' + interval '{delay} seconds'"
        for name, delay in (("queued_at", 0), ("started_at", 1), ("finished_at", 20), ("heartbeat_at", 20))
    },
}
LOG = {
    "at": "now() - (%(total)s - n) * interval '1 second'",
    "external_id": "'x' || n",
    "title": "row.title || ' ' || n",
}
FAILURE = {"id": "uuidv7()", "external_id": "'f' || n", "record_title": "row.record_title || ' ' || n"}


def copy(table: str, total: int, changed: dict[str, str], *, where: str = "true", skip: tuple[str, ...] = ()) -> None:
    """This function will add about `total` copies of the table's rows, taken in turn."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema AND table_name = %s",
            [table],
        )
        columns = [row[0] for row in cursor.fetchall() if row[0] not in skip]
        values = ", ".join(changed.get(name, f"row.{name}").replace("%(total)s", str(total)) for name in columns)
        cursor.execute(
            f"""INSERT INTO {table} ({", ".join(columns)})
            SELECT {values} FROM (
                SELECT *, row_number() OVER (ORDER BY random()) AS place, count(*) OVER () AS many FROM {table} WHERE {where}
            ) row, LATERAL generate_series(row.place, {total}, row.many) AS n ORDER BY n"""
        )


def grow(*, runs: int, logs: int, failures: int) -> None:
    copy("sync_syncrun", runs, RUN, where="status NOT IN ('queued', 'running')")
    copy("sync_recordlog", logs, LOG, skip=("id",))
    copy("sync_recordfailure", failures, FAILURE, where="status = 'open'")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
