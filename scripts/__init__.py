"""Agent scripts: what to say and ask, step by step, decided by the answers. README.md draws it."""
