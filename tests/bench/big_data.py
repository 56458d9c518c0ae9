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


# Failures of 400 causes, a hundred at each moment: what a system refuses, it refuses by the page.
REFUSED = FAILURE | {
    "external_id": "'g' || n",
    "fingerprint": "md5((n % 400)::text)",
    "message": "'Field ' || (n % 400) || ' is missing in the system'",
    "first_at": "now() - (n / 100) * interval '25 minutes'",
    "last_at": "now() - (n / 100) * interval '20 minutes'",
}
LEFT_UNDONE = """
    WITH recordless AS MATERIALIZED (
        SELECT uuidv7() AS fresh, n, row.* FROM (
            SELECT *, row_number() OVER (ORDER BY random()) AS place, count(*) OVER () AS many
            FROM canonical_canonicalrecord WHERE entity = 'project'
        ) row, LATERAL generate_series(row.place, %(total)s, row.many) AS n
    ), record AS (
        INSERT INTO canonical_canonicalrecord (id, customer_id, environment_id, entity, data, title, number, state,
            version, match_keys, created_at, changed_at)
        SELECT fresh, customer_id, environment_id, entity, data, title || ' ' || n, number, state, version, '{}',
            created_at, changed_at FROM recordless
    )
    INSERT INTO monitoring_businessexception (id, customer_id, environment_id, rule_id, record_id, title, status, since,
        opened_at, amount, currency, assignee_label, ignore_reason)
    SELECT uuidv7(), customer_id, environment_id, rule.ids[1 + n %% array_length(rule.ids, 1)], fresh, title || ' ' || n,
        'open', now() - n * interval '10 minutes', now() - n * interval '9 minutes', n * 100, 'EUR', '', ''
    FROM recordless, (SELECT array_agg(id ORDER BY key) AS ids FROM monitoring_exceptionrule) rule
"""


# An eighth of the log went wrong, in words that nobody looks for.
GONE_WRONG = """
    UPDATE sync_recordlog SET action = 'failed', title = 'Company ' || id, error = 'Refused', record_id = NULL
    WHERE id % 8 = 0 AND action <> 'failed'
"""


def crowd(total: int) -> None:
    """So many failures and so many business exceptions wait for somebody."""
    copy("sync_recordfailure", total, REFUSED, where="status = 'open' AND fingerprint !~ '^[0-9a-f]{32}$'")
    with connection.cursor() as cursor:
        cursor.execute(LEFT_UNDONE, {"total": total})
        cursor.execute(GONE_WRONG)
        cursor.execute("VACUUM ANALYZE")
