from django.urls import path

from apps.partner_portal.views import mails

urlpatterns = [
    path("settings/mail/", mails.mail_list, name="mails"),
    path("settings/mail/<uuid:mail_id>/", mails.mail_detail, name="mail_detail"),
    path("settings/mail/<uuid:mail_id>/as-sent/", mails.mail_as_sent, name="mail_as_sent"),
]
