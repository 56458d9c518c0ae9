from django.db import migrations


class Migration(migrations.Migration):
    """A rate budget is written before every vendor call and worth nothing after a crash: keep it out of the log."""

    dependencies = [("connectors", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE connectors_callbudget SET UNLOGGED",
            "ALTER TABLE connectors_callbudget SET LOGGED",
        )
    ]
