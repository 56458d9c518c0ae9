from django.urls import URLPattern, URLResolver, path

from apps.partner_portal.views import approvals, decisions, match_rules, merge_plans, records, stewardship

urlpatterns: list[URLPattern | URLResolver] = [
    path("approvals/", approvals.show_approvals, name="approvals"),
    path("approvals/notices/", approvals.show_notices, name="notices"),
    path("approvals/<uuid:approval_id>/approve/", approvals.approve, name="approval_approve"),
    path("approvals/<uuid:approval_id>/reject/", approvals.reject, name="approval_reject"),
    path("records/", records.show_records, name="records"),
    path("records/<uuid:record_id>/", records.show_record, name="record"),
    path("stewardship/", stewardship.show_questions, name="questions"),
    path("stewardship/merges/", stewardship.show_merges, name="merges"),
    path("stewardship/merges/<uuid:merge_id>/undo/", stewardship.undo, name="merge_undo"),
    path("stewardship/pairs/", merge_plans.show_pairs, name="id_pairs"),
    path("stewardship/joinings/", merge_plans.show_joinings, name="joinings"),
    path("stewardship/plans/<uuid:merge_plan_id>/", merge_plans.show_plan, name="merge_plan"),
    path("stewardship/plans/<uuid:merge_plan_id>/carry-out/", merge_plans.carry_out, name="merge_plan_apply"),
    path("stewardship/plans/<uuid:merge_plan_id>/undo/", merge_plans.undo, name="merge_plan_undo"),
    path("stewardship/plans/<uuid:merge_plan_id>/discard/", merge_plans.discard, name="merge_plan_discard"),
    path("stewardship/plans/<uuid:merge_plan_id>/lines/<int:line>/", merge_plans.show_row, name="merge_plan_row"),
    path(
        "stewardship/plans/<uuid:merge_plan_id>/lines/<int:line>/decide/", merge_plans.decide, name="merge_plan_decide"
    ),
    path("stewardship/values/", decisions.show_values, name="value_questions"),
    path("stewardship/values/<uuid:value_question_id>/", decisions.decide, name="value_decide"),
    path("stewardship/deletions/", decisions.show_deletions, name="deletion_reviews"),
    path("stewardship/deletions/<uuid:review_id>/approve/", decisions.approve, name="deletions_approve"),
    path("stewardship/deletions/<uuid:review_id>/reject/", decisions.reject, name="deletions_reject"),
    path("stewardship/rules/", match_rules.show_rules, name="match_rules"),
    path("stewardship/rules/<slug:entity>/", match_rules.edit_rules, name="match_rules_edit"),
    path("stewardship/rules/<slug:entity>/reset/", match_rules.reset_rules, name="match_rules_reset"),
    path("stewardship/<uuid:question_id>/", stewardship.show_question, name="question"),
    path("stewardship/<uuid:question_id>/same/", stewardship.same, name="question_same"),
    path("stewardship/<uuid:question_id>/different/", stewardship.different, name="question_different"),
    path("stewardship/<uuid:question_id>/later/", stewardship.later, name="question_later"),
    path("stewardship/<uuid:question_id>/reopen/", stewardship.reopen, name="question_reopen"),
]
