"""/healthz, /readyz, /metrics."""

from __future__ import annotations

import re
from pathlib import Path

from ccserver.web.metrics import MAX_LABELS, Metrics
from ccserver.web.ports import Meter
from tests.fakes.web import Rig, browser, served, surfer


async def test_alive_whatever_is_bad() -> None:
    rig = Rig()
    rig.health.bad = {"pbx", "journal", "database"}
    async with browser(rig) as probe:
        assert (await probe.get("/healthz")).json() == {"alive": True}


async def test_ready_while_only_the_database_is_late() -> None:
    rig = Rig()
    async with browser(rig) as probe:
        assert (await probe.get("/readyz")).status_code == 200
        rig.health.bad = {"database"}
        late = await probe.get("/readyz")
        rig.health.bad = {"pbx"}
        away = await probe.get("/readyz")
    assert (late.status_code, late.json()["ready"]) == (200, True)
    assert late.json()["checks"][2] == {
        "name": "database",
        "ok": False,
        "needed": False,
        "words": "as set",
    }
    assert (away.status_code, away.json()["ready"]) == (503, False)


async def test_metrics_are_public_in_the_demo_only() -> None:
    async with browser(Rig().with_settings(public_metrics=True)) as probe:
        answer = await probe.get("/metrics")
        assert "ccserver_queue_waiting" in answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=")
    async with browser(Rig()) as probe:
        assert (await probe.get("/metrics")).status_code == 404


async def test_metrics_on_a_listener_of_their_own() -> None:
    rig = Rig().with_settings(metrics_port=0)
    async with served(rig) as server, surfer(server) as probe:
        url = f"http://127.0.0.1:{server.metrics_port}"
        assert "ccserver_queue_waiting" in (await probe.get(f"{url}/metrics")).text
        assert (await probe.get(f"{url}/readyz")).status_code == 200
        assert (await probe.get(f"{url}/api/v1/login-options")).status_code == 404


def filled() -> Metrics:
    """Every method called once."""
    metrics = Metrics()
    meter: Meter = metrics
    meter.queue("sales", 3, 12.5)
    meter.agents({"READY": 2, "TALKING": 1})
    meter.interaction_closed("sales", "answered", 7.0)
    meter.offer_ended("accepted")
    meter.event_handled("OfferAccepted", 0.0001)
    meter.event_refused("OfferAccepted")
    meter.handoff(0.003)
    meter.pop(0.002)
    meter.ami("main", True, 0.001)
    meter.ami_event("main", 5)
    meter.projection(10, 0.5)
    meter.journal(100, 0.01)
    meter.error("ami")
    metrics.login("ok")
    metrics.socket_opened("desk")
    metrics.socket_closed("desk", 4001)
    return metrics


def test_figures_come_out_as_they_went_in() -> None:
    registry = filled().registry
    value = registry.get_sample_value
    assert value("ccserver_queue_waiting", {"queue": "sales"}) == 3
    assert value("ccserver_agents", {"status": "READY"}) == 2
    assert value("ccserver_queue_wait_seconds_sum", {"queue": "sales", "outcome": "answered"}) == 7.0
    assert value("ccserver_handoff_seconds_count") == 1
    assert value("ccserver_ami_up", {"pbx": "main"}) == 1
    assert value("ccserver_ami_events_total", {"pbx": "main"}) == 5
    assert value("ccserver_projection_behind_records") == 10
    assert value("ccserver_sockets", {"kind": "desk"}) == 0
    assert value("ccserver_sockets_closed_total", {"kind": "desk", "code": "4001"}) == 1


def test_every_metric_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[3] / "ccserver" / "web" / "README.md").read_text()
    names = set(re.findall(r"^# TYPE (\S+)", filled().render().decode(), re.M))
    names = {name for name in names if not name.endswith("_created")}
    assert {name for name in names if f"`{name}`" not in readme} == set()


def test_labels_are_bounded() -> None:
    metrics = Metrics()
    for i in range(MAX_LABELS + 50):
        metrics.error(f"where{i}")
    assert metrics.registry.get_sample_value("ccserver_errors_total", {"where": "other"}) == 50
