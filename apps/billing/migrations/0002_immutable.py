from django.db import migrations

# Open invoices, payments and usage events are facts others rely on: the database refuses to change them, whoever asks.
# What an invoice may become: draft → open → paid | void | uncollectible; what was written off can still be paid or
# voided. An invoice over nothing is paid the moment it is issued. Money once received stays received.
SQL = """
CREATE FUNCTION billing_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER billing_invoice_immutable BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_invoice_change();

CREATE FUNCTION billing_refuse_line_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    invoice_status text;
BEGIN
    EXECUTE format('SELECT status FROM %I.billing_invoice WHERE id = $1', TG_TABLE_SCHEMA) INTO invoice_status
        USING CASE TG_OP WHEN 'INSERT' THEN NEW.invoice_id ELSE OLD.invoice_id END;
    IF invoice_status IS NOT NULL AND invoice_status <> 'draft' THEN
        RAISE EXCEPTION 'the lines of an issued invoice cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_invoiceline_immutable BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_line_change();

CREATE FUNCTION billing_refuse_usage_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'usage events cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER billing_usageevent_immutable BEFORE UPDATE OR DELETE ON billing_usageevent
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_usage_change();

CREATE FUNCTION billing_refuse_payment_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payments cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER billing_payment_immutable BEFORE UPDATE OR DELETE ON billing_payment
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_payment_change();
"""
UNDO = """
DROP TRIGGER billing_payment_immutable ON billing_payment;
DROP TRIGGER billing_usageevent_immutable ON billing_usageevent;
DROP TRIGGER billing_invoiceline_immutable ON billing_invoiceline;
DROP TRIGGER billing_invoice_immutable ON billing_invoice;
DROP FUNCTION billing_refuse_payment_change, billing_refuse_usage_change, billing_refuse_line_change,
    billing_refuse_invoice_change;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
