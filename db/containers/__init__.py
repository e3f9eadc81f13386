"""The cluster in containers: what docker-compose.yml runs beside the servers themselves."""
