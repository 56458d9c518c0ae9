"""Two records of one thing, found out by the engine itself while it writes: made one without asking."""

from __future__ import annotations

from uuid import UUID

from apps.canonical.models import CanonicalLink, CanonicalRecord, CrossReference


def absorb_record(*, keep_id: UUID, drop_id: UUID) -> None:
    """This function will make two records of one thing one: ids in systems and references move, the other row goes.

    Part of the caller's transaction, under the environment's lock.
    """
    kept = set(CrossReference.objects.filter(record_id=keep_id).values_list("connection_id", "object_name"))
    for reference in CrossReference.objects.filter(record_id=drop_id):
        if (reference.connection_id, reference.object_name) not in kept:
            CrossReference.objects.filter(pk=reference.pk).update(record_id=keep_id)
    names = set(CanonicalLink.objects.filter(source_id=keep_id).values_list("name", flat=True))
    CanonicalLink.objects.filter(source_id=drop_id).exclude(name__in=names).update(source_id=keep_id)
    CanonicalLink.objects.filter(target_id=drop_id).update(target_id=keep_id)
    CanonicalRecord.objects.filter(pk=drop_id).delete()
