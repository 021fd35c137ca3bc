"""The ACD: decides who talks to whom. Pure: no clock, no dice, no sockets, no log, no database.

`Router.handle(event, now) -> list[Effect]` is the whole interface; the live server, the replay of a journal
and the what-if simulation run this same code. See README.md in this folder.
"""
