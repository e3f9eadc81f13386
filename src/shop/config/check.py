"""`python -m shop.config.check`: whether the settings can be made of this environment.

It prints the variables that can be chosen, and those that the stack sets, as JSON; or the sentence
that says which value cannot be used, and ends with 1. Programs that prepare an environment for the
application ask it: they need not import it.
"""

import json
import sys

from django.core.exceptions import ImproperlyConfigured

from shop.config.meanings import BY_THE_STACK, CHOSEN


def main() -> int:
    """Make the settings; return the exit code."""
    try:
        import shop.config.settings  # noqa: F401, PLC0415 - it is made by being imported
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return 1
    json.dump({"chosen": list(CHOSEN), "by the stack": list(BY_THE_STACK)}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
