"""Deleting: looked up before, so that what is gone is left alone, and after, so that nothing is claimed that did not happen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from apps.connectors.sdk.errors import ConnectorError, RecordRejected
from apps.connectors.sdk.types import SourceRecord

GONE = (404, 410)


class Removing(ABC):
    """A part of a `DeletingSink`: `remove` makes the vendor's call.

    class Tickets(SingleSink, Removing):
        def remove(self, external_id: str) -> None:
            self.connector.client.delete(f"/tickets/{external_id}", expects_json=False)
    """

    # The vendor agrees at once and deletes minutes later: that the record still shows means nothing.
    deletes_later: ClassVar[bool] = False

    @abstractmethod
    def get(self, external_id: str) -> SourceRecord | None:
        """The record as it is now."""

    @abstractmethod
    def remove(self, external_id: str) -> None:
        """Delete it, or archive it where that is what the vendor's users do. Raises RecordRejected: it stays."""

    def is_gone(self, record: SourceRecord) -> bool:
        """Whether a record that still shows is deleted, or what stands for it with this vendor."""
        return record.deleted

    def delete(self, external_id: str) -> None:
        """One that is gone already is no error. Raises RecordRejected where the vendor keeps it."""
        if not self._is_there(external_id):
            return
        try:
            self.remove(external_id)
        except ConnectorError as error:
            if error.status not in GONE:
                raise
        if not self.deletes_later and self._is_there(external_id):
            raise RecordRejected("it is still there after it was deleted", code="not_deleted")

    def _is_there(self, external_id: str) -> bool:
        held = self.get(external_id)
        return held is not None and not self.is_gone(held)
