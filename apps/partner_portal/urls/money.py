from django.urls import path

from apps.partner_portal.views import billing, invoices, plans, sla, usage

urlpatterns = [
    path("sla/", sla.show_month, name="sla"),
    path("sla/reports/", sla.show_reports, name="sla_reports"),
    path("sla/reports/<uuid:report_id>/", sla.show_report, name="sla_report"),
    path("sla/reports/<uuid:report_id>/pdf/", sla.download_report, name="sla_report_pdf"),
    path("sla/policies/", sla.show_policies, name="policies"),
    path("sla/policies/add/", sla.add_policy, name="policy_add"),
    path("sla/policies/<uuid:policy_id>/", sla.show_policy, name="policy"),
    path("customers/<uuid:customer_id>/sla/close/", sla.close_last_month, name="sla_close"),
    path("billing/", billing.show_overview, name="billing"),
    path("billing/invoices/", invoices.show_invoices, name="invoices"),
    path("billing/invoices/issue/", invoices.issue_drafts, name="invoices_issue"),
    path("billing/invoices/<uuid:invoice_id>/", invoices.show_invoice, name="invoice"),
    path("billing/invoices/<uuid:invoice_id>/issue/", invoices.issue, name="invoice_issue"),
    path("billing/invoices/<uuid:invoice_id>/pdf/", invoices.download_invoice, name="invoice_pdf"),
    path("billing/invoices/<uuid:invoice_id>/lines/<int:position>/", usage.show_line_usage, name="line_usage"),
    path("billing/subscriptions/", billing.show_subscriptions, name="subscriptions"),
    path("billing/company/", billing.edit_legal_entity, name="legal_entity"),
    path("billing/plans/", plans.show_plans, name="plans"),
    path("billing/plans/add/", plans.add_plan, name="plan_add"),
    path("billing/plans/calculate/", plans.calculate_month, name="plan_calculate"),
    path("billing/plans/<uuid:plan_id>/", plans.show_plan, name="plan"),
    path("billing/plans/<uuid:plan_id>/archive/", plans.retire_plan, name="plan_archive"),
]
