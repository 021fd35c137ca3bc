"""An offer: the proposal of one interaction to one agent, and the hold on both while it is open."""

from __future__ import annotations

from dataclasses import dataclass

from routing.model import OfferState
from routing.tables import Table

_S = OfferState

OFFER = Table(
    "offer",
    _S.OPEN,
    {
        (_S.OPEN, "accept"): _S.ACCEPTED,
        (_S.OPEN, "reject"): _S.REJECTED,
        (_S.OPEN, "expire"): _S.EXPIRED,
        (_S.OPEN, "revoke"): _S.REVOKED,
    },
)


@dataclass(slots=True)
class Offer:
    """Kept until its interaction is engaged or back in line; ends exactly once."""

    id: str
    interaction: str
    agent: str
    deadline_at: int
    state: OfferState = OfferState.OPEN
