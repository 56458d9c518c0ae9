"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

import re
from typing import Any

# A spreadsheet takes a cell that begins so for a formula, full-width signs too. Which separator it splits at depends on
# the country of whoever opens the file: in much of Europe the semicolon, though the file has commas. Quotes do not help,
# as they stand in the middle of such a cell. So what follows a semicolon, a tab or a line break counts as a beginning.
_RUN = re.compile(r"(^|[;\t\r\n])(\"*)(?=[=+\-@\t\r\uff0b\uff0d\uff1d\uff20])")


def harmless(value: Any) -> Any:
    """Text with an apostrophe before all that a spreadsheet would run as a formula; None as an empty cell."""
    if isinstance(value, str):
        return _RUN.sub(r"\1\2'", value)
    return "" if value is None else value
