from django.urls import path

from apps.partner_portal.views import webhook_deliveries, webhooks

urlpatterns = [
    path("settings/webhooks/", webhooks.show_endpoints, name="webhooks"),
    path("settings/webhooks/new/", webhooks.add_endpoint, name="webhook_add"),
    path("settings/webhooks/events/", webhooks.show_event_types, name="event_types"),
    path("settings/webhooks/<uuid:endpoint_id>/", webhook_deliveries.show_endpoint, name="webhook"),
    path("settings/webhooks/<uuid:endpoint_id>/edit/", webhooks.edit_endpoint, name="webhook_edit"),
    path("settings/webhooks/<uuid:endpoint_id>/rotate/", webhooks.rotate, name="webhook_rotate"),
    path("settings/webhooks/<uuid:endpoint_id>/test/", webhooks.test, name="webhook_test"),
    path("settings/webhooks/<uuid:endpoint_id>/pause/", webhooks.pause, name="webhook_pause"),
    path("settings/webhooks/<uuid:endpoint_id>/resume/", webhooks.resume, name="webhook_resume"),
    path("settings/webhooks/<uuid:endpoint_id>/remove/", webhooks.remove, name="webhook_remove"),
    path("settings/webhooks/<uuid:endpoint_id>/replay/", webhook_deliveries.replay_matching, name="webhook_replay"),
    path("settings/webhooks/sent/<uuid:delivery_id>/", webhook_deliveries.show_delivery, name="webhook_delivery"),
    path(
        "settings/webhooks/sent/<uuid:delivery_id>/replay/",
        webhook_deliveries.replay,
        name="webhook_delivery_replay",
    ),
]
