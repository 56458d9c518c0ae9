"""Files that came in or go out."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.connectors.models import Connection, StoredFile
from apps.connectors.sdk.declared.files.outbox import SENT
from apps.core.visible import get_visible


def get_stored_file(connection: Connection, file_id: UUID) -> StoredFile:
    """Raises NotVisible."""
    return get_visible(list_stored_files(connection), file_id, "There is no such file.")


def list_stored_files(connection: Connection) -> QuerySet[StoredFile]:
    """Files that came in or go out, newest first; without what is half written and the entries of what was sent."""
    internal = Q(name__startswith=".") | Q(folder=SENT) | Q(folder__endswith=f"/{SENT}")
    files = StoredFile.objects.filter(connection=connection).exclude(internal)
    return files.select_related("connection").order_by("-uploaded_at", "id")
