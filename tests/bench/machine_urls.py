"""What machines call, and beside it the bare view behind the same slim stack."""

from django.urls import path

from config.urls import machine
from tests.bench.urls import bare

handler400, handler403, handler404, handler500 = (
    machine.handler400, machine.handler403, machine.handler404, machine.handler500,
)  # fmt: skip
urlpatterns = [path("bare/", bare), *machine.urlpatterns]
