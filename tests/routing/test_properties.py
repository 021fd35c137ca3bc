"""Whatever happens in whatever order: nothing raises, nobody is lost, nobody is offered twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import events as ev
from routing.effects import EndOffer, MakeOffer, SegmentStarted
from routing.eligibility import Standing
from routing.model import DeviceState, InteractionState, Medium, RejectCause, SlotState
from routing.router import Router
from tests.routing.helpers import Floor

AGENTS = ["ayu", "budi", "CICI"]
CALLS = [f"i{n}" for n in range(6)]
_agent, _call = st.sampled_from(AGENTS), st.sampled_from(CALLS)
_offer = st.builds(lambda call, n: f"{call}.{n}", _call, st.integers(1, 3))

EVENTS = st.one_of(
    st.builds(
        ev.InteractionArrived,
        _call,
        st.just(Medium.VOICE),
        st.sampled_from(["billing", "sales"]),
        stake_cents=st.integers(0, 10**7),
    ),
    st.builds(ev.CustomerLeft, _call),
    st.builds(ev.OfferAccepted, _offer),
    st.builds(ev.OfferRejected, _offer, st.sampled_from(RejectCause)),
    st.builds(ev.ConnectionMade, _offer),
    st.builds(ev.ConnectFailed, _offer),
    st.builds(ev.AgentLeft, _call, _agent),
    st.builds(ev.InteractionMoved, _call, st.sampled_from(["billing", "sales"]), keep_place=st.booleans()),
    st.builds(ev.InteractionRevalued, _call, st.just("c"), st.integers(0, 10**7)),
    st.builds(ev.InteractionFailed, _call, st.just("pbx")),
    st.builds(ev.InteractionFlowedOut, _call, st.just("voicemail")),
    st.builds(ev.WrapUpFinished, _call, _agent),
    st.builds(ev.WrapUpExtended, _call, _agent, st.integers(-1, 700)),
    st.builds(ev.AgentReadied, _agent),
    st.builds(ev.AgentPaused, _agent, st.just("break")),
    st.builds(lambda a: ev.SessionClosed(a, f"s-{a}"), _agent),
    st.builds(lambda a: ev.SessionOpened(a, f"s-{a}", f"pbx/{a}"), _agent),
    st.builds(lambda a, s: ev.DeviceChanged(f"pbx/{a}", s), _agent, st.sampled_from(DeviceState)),
    st.just(ev.TimePassed()),
)
STEPS = st.lists(st.tuples(EVENTS, st.sampled_from([0.0, 0.001, 1.0, 7.0, 31.0])), max_size=80)


def check(router: Router) -> None:
    """The invariants that hold between any two events."""
    router.waiting.check()
    held = [s.interaction for a in router.agents.values() for s in a.slots if s.state is SlotState.RESERVED]
    offered = [i.id for i in router.interactions.values() if i.state is InteractionState.OFFERED]
    assert sorted(held) == sorted(offered)
    for offer in router.offers.values():
        assert router.interactions[offer.interaction].offer == offer.id
    for agent in router.agents.values():
        assert sum(slot.state is not SlotState.IDLE for slot in agent.slots) <= 1
        if router.pool.standing(agent.id, Medium.VOICE) is Standing.AVAILABLE:
            for line in router.waiting.lines:
                head = router.waiting.head(line)
                assert head is None or not router.pool.fits(agent, Medium.VOICE, line[1]), (
                    "idle beside waiting"
                )
    next_at = router.next_deadline()
    assert next_at is None or next_at > router.now


@given(STEPS)
@settings(max_examples=300)
def test_invariants_hold_and_every_offer_ends_once(steps: list[tuple[ev.Event, float]]) -> None:
    floor = Floor(*AGENTS)
    made: set[str] = set()
    ended: set[str] = set()
    for event, after_s in steps:
        for effect in floor.do(event, after_s):
            if isinstance(effect, MakeOffer):
                made.add(effect.offer)
            elif isinstance(effect, EndOffer | SegmentStarted):
                assert effect.offer not in ended
                ended.add(effect.offer)
        check(floor.router)
    assert ended <= made
    assert made - ended == set(floor.router.offers)


@given(STEPS)
@settings(max_examples=100)
def test_the_same_facts_give_the_same_orders(steps: list[tuple[ev.Event, float]]) -> None:
    first, second = Floor(*AGENTS), Floor(*AGENTS)
    for event, after_s in steps:
        assert first.do(event, after_s) == second.do(event, after_s)
