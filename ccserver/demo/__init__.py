"""`make run`: a whole contact centre alive within a minute, with an invented company in it.

    switchboard (Asterisk + world, or stand-in) ── ccserver ── robots' desks, and one desk for you
                     ▲ callers

Robots are registered SIP endpoints and desks on the public socket, callers come through the public number:
no code outside this folder knows that it is a demo. PORT, DATABASE_URL, ASTERISK=host:port, DEMO=0 and
HEADLESS=1 change the obvious things.
"""

from __future__ import annotations

from ccserver.demo.centre import main

__all__ = ["main"]
