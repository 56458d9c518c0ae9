from django.db import migrations

TABLES = ("connectors_callbudget", "connectors_callslot")


class Migration(migrations.Migration):
    """Budgets and places of calls are written before every vendor call and worth nothing after a crash: no log of them."""

    dependencies = [("connectors", "0001_initial")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET UNLOGGED", f"ALTER TABLE {table} SET LOGGED") for table in TABLES
    ]
