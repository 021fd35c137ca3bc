"""Why a call ended, from dial states and hangup causes. Pure tables.

    two people talked                               completed
    the caller left while somebody was tried        cancelled
    nobody was reached                              the best verdict: no_answer, rejected, busy, failed
    the PBX itself answered, nobody was tried       completed
    nothing of that                                 by the hangup cause of the caller's leg

Numbers are ITU-T Q.850 causes, as in the `Cause` header of a Hangup event.
"""

from __future__ import annotations

from channels.asterisk.call_picture import AST_UP, Call, Leg

DIAL_VERDICTS = {
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "CONGESTION": "failed",
    "CHANUNAVAIL": "failed",
    "INVALIDARGS": "failed",
    "DONTCALL": "rejected",
    "TORTURE": "rejected",
}
CAUSE_VERDICTS = {17: "busy", 18: "no_answer", 19: "no_answer", 21: "rejected"}
# Ends that say nothing of the one who was called: unknown, normal, answered elsewhere, interworking.
SILENT_CAUSES = frozenset({0, 16, 26, 31, 127})
# A group in which one phone was busy and another rang in vain was not answered: the first found counts.
BEST_FIRST = ("no_answer", "rejected", "busy", "failed")


def dial_verdict(status: str) -> str:
    """The verdict of a DialEnd; empty for an answer, a cancelled dial and words not known."""
    return DIAL_VERDICTS.get(status.upper(), "")


def cause_verdict(cause: int) -> str:
    """The verdict of a hangup cause of a leg that was not answered; empty when it tells nothing."""
    if cause in SILENT_CAUSES:
        return ""
    return CAUSE_VERDICTS.get(cause, "failed")


def note_hangup(call: Call, leg: Leg) -> None:
    """Add what the hangup cause of a dialled leg tells to the verdicts: it knows busy from rejected."""
    if leg.state == AST_UP or leg is call.caller or leg.dial == "none":
        return
    verdict = cause_verdict(leg.cause)
    if verdict in ("busy", "rejected") or (verdict and not call.verdicts.get(leg)):
        call.verdicts[leg] = verdict


def end_reason(call: Call) -> str:
    """Why `call` ended, once all its legs are gone."""
    if call.heard:
        return "completed"
    if call.abandoned:
        return "cancelled"
    caller = call.caller
    if caller is not None and caller.originated and caller.state != AST_UP and cause_verdict(caller.cause):
        return cause_verdict(caller.cause)  # the first leg of an originated call is dialled too
    verdicts = set(call.verdicts.values())
    for verdict in BEST_FIRST:
        if verdict in verdicts:
            return verdict
    if call.tried:
        return "no_answer"
    return _caller_alone(caller)


def _caller_alone(caller: Leg | None) -> str:
    if caller is None or caller.state == AST_UP:
        return "completed"
    if caller.cause in SILENT_CAUSES:
        return "cancelled"
    return CAUSE_VERDICTS.get(caller.cause, "failed")
