"""Releases in a git repository of its own, whose one package is the migrations of an app."""

import importlib
import subprocess
from pathlib import Path

from sharding.django.expand_contract import releases, verdicts
from sharding.django.expand_contract.git import Checkout

APP = "wishlists"  # nobody's migrations depend on its own
INITIAL = """
from django.db import migrations, models

class Migration(migrations.Migration):
    "The first."
    initial = True
    operations = [migrations.CreateModel("Animal", [
        ("id", models.BigAutoField(primary_key=True)),
        ("motto", models.TextField(null=True)),
    ])]
"""
NEXT = """
from django.contrib.postgres.operations import *
from django.db import migrations, models
from django.db.migrations import *

from sharding.django.expand_contract.operations import *

class Migration(migrations.Migration):
    dependencies = [("wishlists", "{after}")]
    operations = [{operations}]
    {more}
"""


class Repository:
    """A git repository whose one package is the migrations of an installed app."""

    def __init__(self, top: Path, package: str) -> None:
        self.top = top
        self.package = top / package
        self.package.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.email", "sam@example.com")
        self.git("config", "user.name", "Sam")
        self.write("__init__", "")
        self.write("0001_initial", INITIAL)

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.top), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def write(self, name: str, text: str) -> None:
        (self.package / f"{name}.py").write_text(text)
        importlib.invalidate_caches()

    def add(
        self, name: str, operations: str, *, after: str = "0001_initial", more: str = ""
    ) -> None:
        self.write(name, NEXT.format(operations=operations, after=after, more=more))

    def release(self, tag: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", tag)
        self.git("tag", tag)

    def since(self, ref: str) -> dict[str, list[str]]:
        """Return the codes of what is refused, by migration."""
        found = verdicts.judge(releases.at(Checkout.around(self.package), ref))
        return {
            verdict.migration.partition(".")[2]: [each.code for each in verdict.refused]
            for verdict in found
        }
