"""What is at stake when this customer contacts us now. Pure, integers only.

    loss   = worth × chance that a failed contact costs us this customer
    stake  = confidence × max(loss, what the site promises the tier) + (1 − confidence) × a stranger's stake

Version 1, and why:

- **Worth** is what the customer is expected to bring from now on. A failed contact does not lose all of it,
  only the share of customers who leave over it.
- That **chance** is a base that everybody has (5 in 1,000) and a tenth of the propensity to leave within the
  year: who is about to go anyway goes over less. It grows with the **need**: a complaint or a cancellation
  that fails is nearer to a loss than a question (`NEED_PERCENT`). Never above one half: a guess must not
  push everybody else aside for hours.
- The **tier** is a promise ("gold is answered first") whatever the arithmetic says: a floor, from the
  configuration (`[worth.TIER] stake_percent`).
- The caller's number is evidence, not proof: the stake is weighed with the **confidence** of the match. Of
  several candidates each counts with its share.

`reasons` are for supervisors; agents never see them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ccserver.customers.identity import IdentityMatch
from ccserver.store.rows import CustomerRow

BASE_PER_MILLE = 5
CHURN_SHARE = 10
"""The tenth part of the propensity to leave is put down to a contact that fails."""
MOST_PER_MILLE = 500

NEED_PERCENT = {
    "cancel": 300,
    "complaint": 200,
    "fault": 150,
    "billing": 120,
    "order": 100,
    "sales": 100,
    "information": 50,
}
"""How near a failed contact about this is to a loss; a need that is not listed: 100."""


@dataclass(frozen=True, slots=True)
class Stake:
    """`cents` is what is lost if this contact fails; `reasons` are (code, number) pairs: `worth_cents`,
    `churn_per_mille`, `need_percent`, `loss_per_mille`, `loss_cents`, `tier_cents`, `confidence_percent`,
    `candidates`, `stranger_cents`."""

    cents: int
    reasons: tuple[tuple[str, int], ...]


def loss_per_mille(churn_per_mille: int, need: str = "") -> int:
    """The chance, in 1,000, that a failed contact costs us the customer."""
    chance = BASE_PER_MILLE + max(0, churn_per_mille) // CHURN_SHARE
    return min(MOST_PER_MILLE, chance * NEED_PERCENT.get(need, 100) // 100)


def loss_cents(customer: CustomerRow, need: str = "") -> int:
    """What is lost on average when a contact of this customer fails."""
    return max(0, customer.worth_cents) * loss_per_mille(customer.churn_per_mille, need) // 1000


def stake_of(match: IdentityMatch, tier_cents: Callable[[str], int], need: str = "") -> Stake:
    """`tier_cents(tier)`: the stake the site promises a tier, of "" for a stranger (`Config.stake_cents`)."""
    stranger = tier_cents("")
    confidence = round(match.confidence * 100)
    if match.customer is not None:
        customer = match.customer
        known = max(loss_cents(customer, need), tier_cents(customer.tier))
        cents = (known * confidence + stranger * (100 - confidence)) // 100
        return Stake(max(1, cents), _reasons(customer, need, tier_cents(customer.tier), confidence, stranger))
    if match.candidates:
        parts = [max(loss_cents(one, need), tier_cents(one.tier)) * confidence for one in match.candidates]
        rest = max(0, 100 - confidence * len(parts))
        cents = (sum(parts) + stranger * rest) // (confidence * len(parts) + rest)
        reasons = ("candidates", len(parts)), ("confidence_percent", confidence), ("stranger_cents", stranger)
        return Stake(max(1, cents), reasons)
    return Stake(max(1, stranger), (("stranger_cents", stranger),))


def _reasons(
    customer: CustomerRow, need: str, tier_cents: int, confidence: int, stranger: int
) -> tuple[tuple[str, int], ...]:
    return (
        ("worth_cents", customer.worth_cents),
        ("churn_per_mille", customer.churn_per_mille),
        ("need_percent", NEED_PERCENT.get(need, 100)),
        ("loss_per_mille", loss_per_mille(customer.churn_per_mille, need)),
        ("loss_cents", loss_cents(customer, need)),
        ("tier_cents", tier_cents),
        ("confidence_percent", confidence),
        ("stranger_cents", stranger),
    )
