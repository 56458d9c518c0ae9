"""The web process with the benchmark's vendors."""

from config.wsgi import application
from tests.bench.fast_vendor import register

register()
__all__ = ["application"]
