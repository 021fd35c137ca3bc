"""The HTTP API under /api/v1 and the sockets under /ws."""
