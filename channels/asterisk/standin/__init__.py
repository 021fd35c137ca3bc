"""A PBX stand-in for machines without Asterisk and for fast tests: AMI and FastAGI over real sockets.

`model` and `exchange` (channels, bridges, devices, timers) are pure; `dialling`, `dialplan`, `agi` and
`actions` are what happens there; `server` has the sockets and the Python side for callers and phones.
"""
