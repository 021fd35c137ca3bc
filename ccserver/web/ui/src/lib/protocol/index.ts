/**
 * What goes over `/ws/desk` and `/ws/wallboard`: the twin of `ccserver/desk/protocol.py`, which explains it.
 *
 * Written by hand for the reader, compared with the Python classes field by field and type by type in
 * `tests/browser/test_protocol_twin.py`, so that the two cannot drift. Instants end in `_utc_ms` (server clock).
 */

export * from './board';
export * from './commands';
export * from './frames';
export * from './things';
