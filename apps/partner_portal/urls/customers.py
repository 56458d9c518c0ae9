from django.urls import URLPattern, URLResolver, include, path

from apps.partner_portal.views import (
    connections,
    customer_money,
    customer_tabs,
    customers,
    deploy,
    errors,
    exceptions,
    integrations,
    modernization,
    modernization_plan,
    runs,
)

CUSTOMER = [
    path("", customer_tabs.show_customer, name="customer"),
    path("map/", customer_tabs.show_customer_map, name="customer_map"),
    path("edit/", customers.edit_customer, name="customer_edit"),
    path("archive/", customers.retire_customer, name="customer_archive"),
    path("connections/", connections.show_connections, name="customer_connections"),
    path("connect/", connections.choose_vendor, name="connect"),
    path("connect/<slug:vendor>/", connections.connect_vendor, name="connect_vendor"),
    path("integrations/", integrations.show_customer_integrations, name="customer_integrations"),
    path("deploy/", deploy.choose_template, name="deploy"),
    path("deploy/<uuid:version_id>/", deploy.choose_connections, name="deploy_connections"),
    path("runs/", runs.show_customer_runs, name="customer_runs"),
    path("errors/", errors.show_customer_errors, name="customer_errors"),
    path("exceptions/", exceptions.show_customer_exceptions, name="customer_exceptions"),
    path("modernization/", modernization.show_inventory, name="customer_modernization"),
    path("modernization/add/", modernization.add, name="legacy_interface_add"),
    path("modernization/import/", modernization_plan.bring_estate, name="estate_import"),
    path("modernization/waves/add/", modernization_plan.new_wave, name="migration_wave_add"),
    path("modernization/interfaces.<slug:estate_format>", modernization_plan.take_estate, name="estate_export"),
    path("sla/", customer_money.show_sla, name="customer_sla"),
    path("billing/", customer_money.show_billing, name="customer_billing"),
    path("billing/cancel/", customer_money.end_subscription, name="subscription_cancel"),
    path("users/", customer_tabs.show_users, name="customer_users"),
    path("users/<uuid:membership_id>/remove/", customer_tabs.end_membership, name="member_remove"),
    path(
        "invitations/<uuid:invitation_id>/withdraw/",
        customer_tabs.withdraw_invitation,
        name="customer_invitation_withdraw",
    ),
    path("activity/", customer_tabs.show_activity, name="customer_activity"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("customers/", customers.show_customers, name="customers"),
    path("customers/add/", customers.add_customer, name="customer_add"),
    path("customers/<uuid:customer_id>/", include(CUSTOMER)),
]
