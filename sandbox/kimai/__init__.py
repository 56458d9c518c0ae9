"""A simulated Kimai server, as far as the example of a connector written down needs it."""

from sandbox.kimai.vendor import VENDOR

__all__ = ["VENDOR"]
