import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import shop.catalog.search


class Migration(migrations.Migration):
    """Search without accents and by parts of names. A generated column is made anew, not altered."""

    dependencies = [("catalog", "0001_initial")]

    operations = [
        TrigramExtension(),
        migrations.RemoveIndex(model_name="product", name="product_search"),
        migrations.RemoveField(model_name="product", name="search"),
        migrations.AddField(
            model_name="product",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.SearchVector(
                    shop.catalog.search.Folded("name"),
                    shop.catalog.search.Folded("description"),
                    config="english",
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="search_name",
            field=models.GeneratedField(
                db_persist=True,
                expression=shop.catalog.search.Squeezed("name"),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search"], name="product_search"
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search_name"], name="product_search_name", opclasses=["gin_trgm_ops"]
            ),
        ),
    ]
