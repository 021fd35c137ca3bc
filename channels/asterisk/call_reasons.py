"""Why a call ended, from dial states and hangup causes. Pure tables.

    two people talked                               completed
    the caller left while somebody was tried        cancelled
    one person was tried, in vain                   the verdict: no_answer, rejected, busy, failed
    several were tried, in vain                     what the caller's leg was told, or the best verdict
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
    verdict = _verdict(call)
    if verdict:
        return verdict
    if any(leg.dial == "open" and leg.state != AST_UP and leg.is_person for leg in call.legs):
        return "cancelled"  # a dial that ran out of time, or was refused, would have said so
    return "no_answer" if call.tried else _caller_alone(caller)


def _verdict(call: Call) -> str:
    """What became of the dials; of several people, what the PBX made of it for the caller."""
    people = [verdict for leg, verdict in call.verdicts.items() if leg.is_person]
    told = CAUSE_VERDICTS.get(call.caller.cause, "") if call.caller is not None else ""
    if len(people) > 1 and told:
        return told
    # A Local leg between says no_answer for whatever went wrong behind it.
    found = people or list(call.verdicts.values())
    return next((verdict for verdict in BEST_FIRST if verdict in found), "")


def _caller_alone(caller: Leg | None) -> str:
    if caller is None or caller.state == AST_UP:
        return "completed"
    if caller.cause in SILENT_CAUSES:
        return "cancelled"
    return CAUSE_VERDICTS.get(caller.cause, "failed")
