"""A real Asterisk by itself: fetched, configured, started and stopped by us, several side by side.

`provision` finds or fetches Asterisk 22, `instance` runs one from a folder, `world` runs a second one that
plays the outside world (callers and robot phones). Nothing here is needed beside an Asterisk of your own.
"""
