from django.db import migrations

# What an invoice may become: draft → open → paid | void | uncollectible; what was written off can still be paid or
# voided. An invoice over nothing is paid the moment it is issued. Money once received stays received.
SQL = """
CREATE OR REPLACE FUNCTION billing_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    open_columns text[] := ARRAY['status', 'paid_amount', 'paid_at', 'status_reason', 'status_changed_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'draft' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'an issued invoice cannot be deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status <> NEW.status AND NOT (OLD.status || '>' || NEW.status = ANY (ARRAY[
            'draft>open', 'draft>paid', 'open>paid', 'open>void', 'open>uncollectible', 'uncollectible>paid',
            'uncollectible>void'])) THEN
        RAISE EXCEPTION 'an invoice does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status <> 'draft' AND ((to_jsonb(NEW) - open_columns) IS DISTINCT FROM (to_jsonb(OLD) - open_columns)
            OR NEW.paid_amount < OLD.paid_amount) THEN
        RAISE EXCEPTION 'an issued invoice cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION billing_refuse_payment_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payments cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER billing_payment_immutable BEFORE UPDATE OR DELETE ON billing_payment
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_payment_change();
"""
UNDO = """
DROP TRIGGER billing_payment_immutable ON billing_payment;
DROP FUNCTION billing_refuse_payment_change;
CREATE OR REPLACE FUNCTION billing_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'draft' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - ARRAY['status', 'paid_amount', 'paid_at'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['status', 'paid_amount', 'paid_at']) OR NEW.status = 'draft' THEN
        RAISE EXCEPTION 'an issued invoice cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_payment_keys_and_states")]
    operations = [migrations.RunSQL(SQL, UNDO)]
