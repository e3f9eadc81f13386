"""The half of a deployment on the host: it ends what it has begun when nobody listens."""
