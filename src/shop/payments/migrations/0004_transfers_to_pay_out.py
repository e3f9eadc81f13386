"""What was called refunded before anybody was told to pay it out is due; old tokens go."""

from django.db import migrations

DUE = """
UPDATE payments_payment SET status = 'refund_due'
WHERE status = 'refunded' AND payment_method = 'bank_transfer'
"""
TOKENS = "UPDATE payments_payment SET token = '' WHERE status <> 'pending' AND token <> ''"


class Migration(migrations.Migration):
    atomic = False
    allowed = {
        "unreviewed": "rows of settled payments, which nobody else changes; the running release "
        "shows their status and writes neither"
    }

    dependencies = [
        ("payments", "0003_index_of_refunds_due"),
    ]

    operations = [migrations.RunSQL([DUE, TOKENS], migrations.RunSQL.noop)]
