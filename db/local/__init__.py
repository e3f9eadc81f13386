"""The stack on one machine, without containers: `make up`, `make down`, `make test`.

A *stack* is one set of running servers with a name; its data, logs and passwords live in
`.run/<name>/`. `up` computes what must run as data (`programs.py`), writes the configuration
(`configuration.py`) and hands the processes to supervisord (`supervisor.py`).
"""
