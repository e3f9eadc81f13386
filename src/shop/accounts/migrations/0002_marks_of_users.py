from django.db import migrations, models

from sharding.django.operations import Distribute

# The users that are there already get theirs. The orders that they have do not carry it: those are
# looked for on every shard (docs/adr/0011).
MARKS = """
INSERT INTO accounts_mark (value, user_id)
SELECT right(replace(id::text, '-', ''), 16), id FROM accounts_user WHERE deleted_at IS NULL
ON CONFLICT (value) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("value", models.TextField(primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
            ],
            options={"abstract": False},
        ),
        Distribute("Mark", by="value", colocate_with="accounts.Identity"),
        migrations.RunSQL(MARKS, migrations.RunSQL.noop),
    ]
