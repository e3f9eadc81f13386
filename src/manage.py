#!/usr/bin/env python
"""Django's command line, from any directory."""

import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(1, str(Path(__file__).resolve().parent.parent))  # for `sharding` and `db`
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
