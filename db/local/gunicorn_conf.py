"""gunicorn's settings for an app server of the local stack; addresses come from the environment."""

import os

bind = os.environ["APP_BIND"]
worker_class = "gthread"
workers = int(os.environ["APP_WORKERS"])
threads = int(os.environ["APP_THREADS"])

# Only HAProxy on this machine is believed when it says who the client is.
forwarded_allow_ips = "127.0.0.1"

# A request line holds a cursor and some filters; a header field, a token.
limit_request_line = 8190  # bytes
limit_request_fields = 64
limit_request_field_size = 8190  # bytes

# Longer than HAProxy keeps an idle connection (15 s): it is never this side that closes one just
# as HAProxy sends the next request on it.
keepalive = 60
# Above statement_timeout (15 s) and HAProxy's own timeout (30 s).
timeout = 60
graceful_timeout = 30

# The heartbeat file on a disk can block a worker for seconds.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - made for it

# HAProxy logs what went wrong, the application what it did.
accesslog = None
errorlog = "-"

# supervisord manages the process; a second way in is not needed.
control_socket_disable = True
