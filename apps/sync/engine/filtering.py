"""What a flow takes over of a stream, decided on the mapped record."""

from __future__ import annotations

from apps.core import expressions
from apps.core.expressions import ExpressionError
from apps.sync.engine.context import RunContext, full_record
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.mapping import MappedRecord
from apps.sync.models import ErrorClass


class ReadFilter:
    """Decides about records that were never taken over; what is known stays in step whatever it says."""

    def __init__(self, expression: str, context: RunContext) -> None:
        self._program = expressions.compile_one(expression)
        self._surroundings = {"settings": context.expression_settings, "today": context.today}

    def keeps(self, mapped: MappedRecord) -> bool:
        """Raises RecordProblem when the filter fails on the record."""
        try:
            record = full_record(mapped.entity, mapped.data)
            return self._program.evaluate({"record": record, **self._surroundings})["value"] is True
        except ExpressionError as error:
            raise RecordProblem(ErrorClass.MAPPING, error.message, code="filter") from error
