"""The web shell: pages, HTTP API, sockets, health and metrics on one uvicorn in the one loop."""
