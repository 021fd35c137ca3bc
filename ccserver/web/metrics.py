"""The figures at /metrics, in Prometheus' words. The only place that knows prometheus-client.

`Metrics` is the `Meter` of ports.py: plain methods, called from anywhere on the loop. Children of labels are
looked up once and kept. All names begin with `ccserver_`; the README of this folder lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FAST_S = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0)
WAIT_S = (1, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
MAX_LABELS = 1_000

M = TypeVar("M", Gauge, Counter, Histogram)


class Metrics:
    """One registry of this process; nothing global, so that tests stand side by side."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges()
        self._counters()
        self._histograms()
        self._children: dict[tuple[str, ...], Gauge | Counter | Histogram] = {}

    def _gauges(self) -> None:
        r = self.registry
        self._waiting = Gauge("ccserver_queue_waiting", "Interactions waiting", ["queue"], registry=r)
        self._oldest = Gauge(
            "ccserver_queue_oldest_seconds", "Longest wait at present", ["queue"], registry=r
        )
        self._agents = Gauge("ccserver_agents", "Agents by state", ["status"], registry=r)
        self._ami_up = Gauge("ccserver_ami_up", "1 while logged in to the PBX", ["pbx"], registry=r)
        self._ami_lag = Gauge("ccserver_ami_lag_seconds", "Round trip of a ping", ["pbx"], registry=r)
        self._behind = Gauge("ccserver_projection_behind_records", "Journal not yet in database", registry=r)
        self._late = Gauge("ccserver_projection_late_seconds", "Age of the oldest of them", registry=r)
        self._sockets = Gauge("ccserver_sockets", "Open sockets", ["kind"], registry=r)

    def _counters(self) -> None:
        r = self.registry
        self._offers = Counter("ccserver_offers", "Offers by outcome", ["outcome"], registry=r)
        self._refused = Counter("ccserver_events_refused", "Refused by the router", ["event"], registry=r)
        self._ami_events = Counter("ccserver_ami_events", "Events received", ["pbx"], registry=r)
        self._journal_bytes = Counter("ccserver_journal_bytes", "Written to the journal", registry=r)
        self._errors = Counter("ccserver_errors", "Faults that were logged", ["where"], registry=r)
        self._logins = Counter("ccserver_logins", "Logins by outcome", ["outcome"], registry=r)
        self._socket_ends = Counter(
            "ccserver_sockets_closed", "Ends of sockets", ["kind", "code"], registry=r
        )

    def _histograms(self) -> None:
        r = self.registry
        self._wait = Histogram(
            "ccserver_queue_wait_seconds",
            "Queue wait of closed interactions",
            ["queue", "outcome"],
            buckets=WAIT_S,
            registry=r,
        )
        self._event = Histogram(
            "ccserver_event_seconds", "One event through the hub", ["event"], buckets=FAST_S, registry=r
        )
        self._handoff = Histogram(
            "ccserver_handoff_seconds", "Agent free to ring command written", buckets=FAST_S, registry=r
        )
        self._pop = Histogram(
            "ccserver_pop_latency_seconds", "Offer made to desk acknowledged", buckets=FAST_S, registry=r
        )
        self._sync = Histogram(
            "ccserver_journal_sync_seconds", "Journal synchronised to disk", buckets=FAST_S, registry=r
        )

    def _child(self, metric: M, *labels: str) -> M:
        # Labels come from our configuration and tables; should one ever come from outside, it ends here.
        key = (metric._name, *labels)
        if key not in self._children and len(self._children) >= MAX_LABELS:
            labels = ("other",) * len(labels)
            key = (metric._name, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return cast(M, child)

    def queue(self, queue: str, waiting: int, oldest_s: float) -> None:
        """How long the line is, now."""
        self._child(self._waiting, queue).set(waiting)
        self._child(self._oldest, queue).set(oldest_s)

    def agents(self, by_status: Mapping[str, int]) -> None:
        """How many agents are in each state; all states given."""
        for status, count in by_status.items():
            self._child(self._agents, status).set(count)

    def interaction_closed(self, queue: str, outcome: str, waited_s: float) -> None:
        """One interaction left the router."""
        self._child(self._wait, queue, outcome).observe(waited_s)

    def offer_ended(self, outcome: str) -> None:
        """One offer is over."""
        self._child(self._offers, outcome).inc()

    def event_handled(self, event: str, took_s: float) -> None:
        """One event through the hub."""
        self._child(self._event, event).observe(took_s)

    def event_refused(self, event: str) -> None:
        """The router refused an event."""
        self._child(self._refused, event).inc()

    def handoff(self, took_s: float) -> None:
        """Agent became free → ring command written."""
        self._handoff.observe(took_s)

    def pop(self, took_s: float) -> None:
        """Offer made → desk acknowledged."""
        self._pop.observe(took_s)

    def ami(self, pbx: str, up: bool, lag_s: float) -> None:
        """State of one PBX' connection."""
        self._child(self._ami_up, pbx).set(1 if up else 0)
        self._child(self._ami_lag, pbx).set(lag_s)

    def ami_event(self, pbx: str, count: int = 1) -> None:
        """Events received."""
        self._child(self._ami_events, pbx).inc(count)

    def projection(self, behind: int, late_s: float) -> None:
        """How far the database is behind the journal."""
        self._behind.set(behind)
        self._late.set(late_s)

    def journal(self, written_bytes: int, sync_s: float) -> None:
        """One group written and synchronised."""
        self._journal_bytes.inc(written_bytes)
        self._sync.observe(sync_s)

    def error(self, where: str) -> None:
        """A fault that was logged."""
        self._child(self._errors, where).inc()

    def login(self, outcome: str) -> None:
        """`ok`, `wrong`, `throttled`, `device_in_use`."""
        self._child(self._logins, outcome).inc()

    def socket_opened(self, kind: str) -> None:
        """A socket was accepted: `desk` or `wallboard`."""
        self._child(self._sockets, kind).inc()

    def socket_closed(self, kind: str, code: int) -> None:
        """And is gone; 0: the client went."""
        self._child(self._sockets, kind).dec()
        self._child(self._socket_ends, kind, str(code)).inc()

    def render(self) -> bytes:
        """What a scraper reads."""
        return generate_latest(self.registry)
