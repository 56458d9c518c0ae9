from django.urls import path

from apps.partner_portal.views import exception_rules, exceptions

urlpatterns = [
    path("exceptions/", exceptions.show_exceptions, name="exceptions"),
    path("exceptions/rules/", exception_rules.show_rules, name="exception_rules"),
    path("exceptions/rules/new/", exception_rules.add, name="exception_rule_add"),
    path("exceptions/rules/preview/", exception_rules.preview, name="exception_rule_preview"),
    path("exceptions/rules/<slug:rule_key>/", exception_rules.edit, name="exception_rule"),
    path("exceptions/rules/<slug:rule_key>/switch/", exception_rules.switch, name="exception_rule_switch"),
    path("exceptions/rules/<slug:rule_key>/remove/", exception_rules.remove, name="exception_rule_remove"),
    path("exceptions/<uuid:exception_id>/", exceptions.show_exception, name="exception"),
    path("exceptions/<uuid:exception_id>/<slug:exception_act>/", exceptions.act, name="exception_act"),
]
