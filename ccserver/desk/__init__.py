"""The agent's side: protocol, sessions, screen pop, call control."""
