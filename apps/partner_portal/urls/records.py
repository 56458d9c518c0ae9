from django.urls import URLPattern, URLResolver, path

from apps.partner_portal.views import match_rules, records, stewardship

urlpatterns: list[URLPattern | URLResolver] = [
    path("records/", records.show_records, name="records"),
    path("records/<uuid:record_id>/", records.show_record, name="record"),
    path("stewardship/", stewardship.show_questions, name="questions"),
    path("stewardship/merges/", stewardship.show_merges, name="merges"),
    path("stewardship/merges/<uuid:merge_id>/undo/", stewardship.undo, name="merge_undo"),
    path("stewardship/rules/", match_rules.show_rules, name="match_rules"),
    path("stewardship/rules/<slug:entity>/", match_rules.edit_rules, name="match_rules_edit"),
    path("stewardship/rules/<slug:entity>/reset/", match_rules.reset_rules, name="match_rules_reset"),
    path("stewardship/<uuid:question_id>/", stewardship.show_question, name="question"),
    path("stewardship/<uuid:question_id>/same/", stewardship.same, name="question_same"),
    path("stewardship/<uuid:question_id>/different/", stewardship.different, name="question_different"),
    path("stewardship/<uuid:question_id>/later/", stewardship.later, name="question_later"),
    path("stewardship/<uuid:question_id>/reopen/", stewardship.reopen, name="question_reopen"),
]
