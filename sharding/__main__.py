"""`python -m sharding`: the same as `shardctl`."""

import sys

from sharding.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
