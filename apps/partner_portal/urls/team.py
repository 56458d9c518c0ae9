from django.urls import path

from apps.partner_portal.views import team

urlpatterns = [
    path("settings/team/", team.member_list, name="team"),
    path("settings/team/invite/", team.invite_member, name="team_invite"),
    path("settings/team/<uuid:member_id>/role/", team.set_role, name="team_role"),
    path("settings/team/<uuid:member_id>/transfer/", team.transfer, name="team_transfer"),
    path("settings/team/<uuid:member_id>/deactivate/", team.deactivate_member, name="team_deactivate"),
    path("settings/team/<uuid:member_id>/reactivate/", team.reactivate_member, name="team_reactivate"),
    path("settings/team/invitations/<uuid:invitation_id>/resend/", team.resend, name="invitation_resend"),
    path("settings/team/invitations/<uuid:invitation_id>/revoke/", team.revoke, name="invitation_revoke"),
]
