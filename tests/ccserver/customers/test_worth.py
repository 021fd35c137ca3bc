"""What is at stake."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccserver.customers.identity import Evidence, IdentityMatch, MatchKind, match, normalise
from ccserver.customers.worth import NEED_PERCENT, loss_cents, loss_per_mille, stake_of
from tests.ccserver.customers.people import JOKO, SITI

ANI = normalise("+6284055500001", "ID")
TIERS = {"": 5_000_000, "standard": 5_000_000, "gold": 40_000_000}


def tier_cents(tier: str) -> int:
    return TIERS.get(tier, TIERS[""])


def known(customer: object = SITI, confidence: float = 1.0) -> IdentityMatch:
    return IdentityMatch(MatchKind.KNOWN, confidence, (Evidence.NUMBER,), customer)  # type: ignore[arg-type]


def test_a_stranger_is_worth_what_the_site_says() -> None:
    assert stake_of(match(ANI, []), tier_cents).cents == 5_000_000


def test_worth_times_the_chance_to_lose_it() -> None:
    assert loss_per_mille(250) == 30
    assert loss_cents(SITI) == 60_000_000
    assert stake_of(known(), tier_cents).cents == 60_000_000


def test_the_tier_is_a_floor() -> None:
    assert stake_of(known(replace(SITI, worth_cents=0)), tier_cents).cents == 40_000_000


def test_doubt_pulls_towards_a_stranger() -> None:
    assert stake_of(match(ANI, [SITI]), tier_cents).cents == (60_000_000 * 80 + 5_000_000 * 20) // 100


def test_several_candidates_count_with_their_share() -> None:
    shared = stake_of(match(ANI, [SITI, JOKO]), tier_cents).cents
    assert shared == (60_000_000 * 40 + 5_000_000 * 40 + 5_000_000 * 20) // 100


def test_two_who_disagree_weigh_alike() -> None:
    found = match(ANI, [SITI], "1002", JOKO)
    assert stake_of(found, tier_cents).cents == (60_000_000 * 45 + 5_000_000 * 45 + 5_000_000 * 10) // 100


def test_the_need_matters() -> None:
    by_need = {need: loss_per_mille(250, need) for need in ("information", "", "complaint", "cancel")}
    assert by_need == {"information": 15, "": 30, "complaint": 60, "cancel": 90}
    assert loss_per_mille(250, "something new") == 30


def test_reasons_add_up() -> None:
    reasons = dict(stake_of(known(), tier_cents, "cancel").reasons)
    assert reasons["loss_cents"] == SITI.worth_cents * reasons["loss_per_mille"] // 1000
    assert (reasons["need_percent"], reasons["tier_cents"]) == (300, 40_000_000)


@given(
    st.integers(-(10**6), 10**15),
    st.integers(-5, 5_000),
    st.sampled_from(["", *NEED_PERCENT]),
    st.floats(0.0, 1.0),
)
def test_always_whole_positive_and_never_more_than_half_the_worth_or_the_promise(
    worth: int, churn: int, need: str, confidence: float
) -> None:
    customer = replace(SITI, worth_cents=worth, churn_per_mille=churn)
    stake = stake_of(known(customer, confidence), tier_cents, need).cents
    assert isinstance(stake, int)
    assert 1 <= stake <= max(worth // 2, 40_000_000)


@pytest.mark.parametrize(("less", "more"), [(0, 10), (100, 200), (700, 1000)])
def test_who_is_nearer_to_leaving_is_more_at_stake(less: int, more: int) -> None:
    first, second = (replace(SITI, churn_per_mille=churn) for churn in (less, more))
    assert loss_cents(first) < loss_cents(second)
