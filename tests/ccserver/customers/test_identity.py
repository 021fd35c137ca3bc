"""Who is contacting us, and how sure are we."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccserver.customers.identity import (
    BY_BOTH,
    BY_ENTERED,
    BY_NUMBER,
    Evidence,
    MatchKind,
    OriginKind,
    match,
    normalise,
)
from tests.ccserver.customers.people import JOKO, SITI

ANI = normalise("+6284055500001", "ID")


@pytest.mark.parametrize(
    "given_as",
    [
        "+62811234567",
        "+62 811-234-567",
        "0811234567",
        "(0811) 234 567",
        "0062811234567",
        "62811234567",
        "sip:+62811234567@10.0.0.1;user=phone",
        "sips:%2B62811234567@10.0.0.1",
        "tel:+62-811-234-567;phone-context=+62",
        '"Siti" <sip:0811234567@pbx>',
        '"Siti" <0811234567>',
        "0811234567@10.0.0.1",
        "  0811234567 ",
    ],
)
def test_one_number_however_it_is_written(given_as: str) -> None:
    origin = normalise(given_as, "ID")
    assert (origin.kind, origin.e164, origin.label) == (OriginKind.NUMBER, "+62811234567", "+62 811-234-567")


@pytest.mark.parametrize(
    ("given_as", "region", "e164"),
    [
        ("0171 2345678", "DE", "+491712345678"),
        ("2125550100", "US", "+12125550100"),
        ("12125550100", "US", "+12125550100"),
        ("0044 20 7946 0018", "ID", "+442079460018"),
        ("+44 20 7946 0018", "ID", "+442079460018"),
        ("442079460018", "ID", "+442079460018"),
        ("021 555 0101", "ID", "+62215550101"),
        ("+6284055500001", "ID", "+6284055500001"),
    ],
)
def test_the_region_is_the_default_only(given_as: str, region: str, e164: str) -> None:
    assert normalise(given_as, region).e164 == e164


@pytest.mark.parametrize(
    "given_as",
    ["", " ", "anonymous", "Anonymous", "sip:anonymous@anonymous.invalid", "Anonymous@anonymous.invalid",
     "unknown", "<unknown>", "asterisk", "Restricted", "private", "-"],
)  # fmt: skip
def test_withheld_in_all_its_words(given_as: str) -> None:
    origin = normalise(given_as, "ID")
    assert (origin.kind, origin.e164, origin.label) == (OriginKind.WITHHELD, "", "")


@pytest.mark.parametrize("given_as", ["101", "7001", "123456", "sip:7001@pbx", "0"])
def test_our_own_extensions(given_as: str) -> None:
    origin = normalise(given_as, "ID")
    assert (origin.kind, origin.e164) == (OriginKind.EXTENSION, "")


@pytest.mark.parametrize(
    "given_as",
    ["<script>alert(1)</script>", "9" * 500, "caf\xe9 \xff", "abc", "+", "()", "1" * 16, "+62 811", "s",
     "٠٨١١٢٣٤٥٦٧", "0811\n234567", "'; DROP TABLE customers; --", "${SHELL(id)}", "\u202e7654321180"],
)  # fmt: skip
def test_what_is_no_number_is_shown_as_text(given_as: str) -> None:
    origin = normalise(given_as, "ID")
    assert (origin.kind, origin.e164) == (OriginKind.MALFORMED, "")
    assert 0 < len(origin.label) <= 80
    assert origin.label.isprintable()


def test_an_unknown_region_is_no_reason_to_fail() -> None:
    assert normalise("0811234567", "XX").kind is OriginKind.MALFORMED
    assert normalise("+62811234567", "XX").e164 == "+62811234567"


@given(st.text(max_size=700), st.sampled_from(["ID", "US", "DE", "XX", ""]))
def test_nothing_that_is_sent_raises_or_is_unbounded(raw: str, region: str) -> None:
    origin = normalise(raw, region)
    assert len(origin.raw) <= 500
    assert len(origin.label) <= 80
    assert (origin.e164 != "") == (origin.kind is OriginKind.NUMBER)
    origin.raw.encode("utf-8")


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = normalise(raw, "ID")
    if once.kind is OriginKind.NUMBER:
        assert normalise(once.e164, "ID").e164 == once.e164


# -- the customer --------------------------------------------------------------------------------------------


def test_one_customer_has_the_number_which_is_evidence_not_proof() -> None:
    found = match(ANI, [SITI])
    assert (found.kind, found.confidence, found.customer) == (MatchKind.KNOWN, BY_NUMBER, SITI)
    assert (found.evidence, found.customer_id) == ((Evidence.NUMBER,), "cus_siti")


def test_several_have_it_and_none_is_chosen() -> None:
    found = match(ANI, [SITI, JOKO])
    assert (found.kind, found.confidence, found.customer) == (MatchKind.SEVERAL, BY_NUMBER / 2, None)
    assert (found.candidates, found.customer_id) == ((SITI, JOKO), "")


def test_the_entered_number_decides_between_several() -> None:
    found = match(ANI, [SITI, JOKO], "1002", JOKO)
    assert (found.kind, found.confidence, found.customer) == (MatchKind.KNOWN, BY_BOTH, JOKO)


def test_the_entered_number_alone_is_a_claim() -> None:
    found = match(normalise("anonymous", "ID"), [], "1002", JOKO)
    assert (found.kind, found.confidence, found.evidence) == (
        MatchKind.KNOWN,
        BY_ENTERED,
        (Evidence.ENTERED,),
    )


def test_two_claims_that_disagree_choose_nobody() -> None:
    found = match(ANI, [SITI], "1002", JOKO)
    assert (found.kind, found.evidence, found.candidates) == (
        MatchKind.SEVERAL,
        (Evidence.DISAGREE,),
        (JOKO, SITI),
    )


def test_an_entered_number_that_nobody_has_is_told() -> None:
    assert match(ANI, [SITI], "9999").evidence == (Evidence.NUMBER, Evidence.ENTERED_UNKNOWN)


@pytest.mark.parametrize(
    ("raw", "kind", "evidence"),
    [
        ("+6284055500001", MatchKind.UNKNOWN, Evidence.NOBODY),
        ("7001", MatchKind.UNKNOWN, Evidence.EXTENSION),
        ("anonymous", MatchKind.WITHHELD, Evidence.NO_NUMBER),
        ("<script>", MatchKind.MALFORMED, Evidence.NOT_A_NUMBER),
    ],
)
def test_nobody_is_an_answer_too(raw: str, kind: MatchKind, evidence: Evidence) -> None:
    found = match(normalise(raw, "ID"), [])
    assert (found.kind, found.confidence, found.evidence) == (kind, 0.0, (evidence,))


@given(st.integers(0, 5), st.booleans())
def test_no_match_is_ever_certain(count: int, entered: bool) -> None:
    found = match(
        ANI, [SITI, JOKO, SITI, JOKO, SITI][:count], "1002" if entered else "", JOKO if entered else None
    )
    assert 0.0 <= found.confidence < 1.0
    assert found.confidence * max(1, len(found.candidates)) <= 1.0 or found.evidence == (Evidence.DISAGREE,)
