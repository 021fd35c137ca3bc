"""The tables. Whoever changes one writes a migration too; a test compares the two on both databases.

Two kinds of tables, and who writes which column:

    projected   interactions, conversations, segments, decisions, agent_states, projection_state
                written by the projection of the journal alone: they can be thrown away and made again
    kept        everything else; and of `interactions` the columns of `FACT_COLUMNS`, measured by channels

The kept tables name interactions without a foreign key: a note may be saved before the projection has come to
the interaction it belongs to. Personal data (numbers, names, what was entered) is in `customers*`,
`interaction_contacts`, `notes` and `script_answers`, nowhere else, so that it can be erased.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

FACT_COLUMNS = ("direction", "leg", "ivr_us", "hold_us", "reentered")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python on every database; SQLite keeps no zone, so it is added on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: our code must pass UTC with a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _of_customer() -> Column[str]:
    return Column("customer_id", Text, ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)


customers = Table(
    "customers",
    metadata,
    _key("id"),
    Column("external_id", Text, nullable=False, unique=True),
    _text("name"),
    _text("language"),
    _text("tier"),
    _count("worth_cents"),
    Column("churn_per_mille", Integer, nullable=False, server_default="0"),
    Column("since", Date),
    _text("remarks"),
    Column("changed_utc", UtcDateTime(), nullable=False),
)

customer_numbers = Table(
    "customer_numbers",
    metadata,
    _of_customer(),
    Column("e164", Text, primary_key=True, index=True),
    Column("position", Integer, nullable=False, server_default="0"),
)

customer_emails = Table(
    "customer_emails",
    metadata,
    _of_customer(),
    Column("address", Text, primary_key=True, index=True),
    Column("position", Integer, nullable=False, server_default="0"),
)

users = Table(
    "users",
    metadata,
    _key("id"),
    Column("name", Text, nullable=False, unique=True),
    _text("label"),
    _text("role"),
    _text("language"),
    _text("password_hash"),
    Column("disabled", Boolean, nullable=False, server_default=false()),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    _key("token_hash"),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("device", Text),
    Column("created_utc_ms", BigInteger, nullable=False),
    Column("seen_utc_ms", BigInteger, nullable=False),
    _text("address"),
)

conversations = Table(
    "conversations",
    metadata,
    _key("id"),
    Column("opened_at", BigInteger),
)

interactions = Table(
    "interactions",
    metadata,
    _key("id"),
    _text("conversation_id"),
    _text("medium"),
    _text("direction", "inbound"),
    _text("queue"),
    _text("customer_id"),
    _text("outcome"),
    _count("stake_cents"),
    Column("arrived_at", BigInteger),
    Column("arrived_utc", UtcDateTime()),
    Column("queued_at", BigInteger),
    Column("queued_utc", UtcDateTime()),
    Column("answered_at", BigInteger),
    Column("answered_utc", UtcDateTime()),
    Column("ended_at", BigInteger),
    Column("ended_utc", UtcDateTime()),
    _count("wait_us"),
    _count("ivr_us"),
    _count("talk_us"),
    _count("hold_us"),
    _count("wrap_up_us"),
    _count("transfers"),
    _count("offers_missed"),
    _text("repeat_of"),
    _count("reentered"),
    _text("pbx"),
    _text("leg"),
    Index(None, "customer_id", "arrived_at"),
    Index(None, "conversation_id"),
    Index(None, "arrived_at"),
    Index(None, "pbx", "leg"),
    Index(None, "repeat_of"),
)

interaction_contacts = Table(
    "interaction_contacts",
    metadata,
    _key("interaction_id"),
    _text("origin_raw"),
    Column("origin_e164", Text, nullable=False, server_default="", index=True),
    _text("origin_name"),
    _text("destination"),
    Column("entered", Json, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    _key("offer_id"),
    _text("interaction_id"),
    _text("agent_id"),
    _text("queue"),
    Column("answered_at", BigInteger, nullable=False),
    Column("answered_utc", UtcDateTime(), nullable=False),
    Column("talk_ended_at", BigInteger),
    Column("wrap_up_ended_at", BigInteger),
    _text("ended_by"),
    _text("disposition"),
    Column("finished", Boolean, nullable=False, server_default=false()),
    Index(None, "interaction_id", "agent_id"),
    Index(None, "agent_id", "answered_at"),
)

decisions = Table(
    "decisions",
    metadata,
    _key("offer_id"),
    Column("seq", BigInteger, nullable=False),
    _text("interaction_id"),
    _text("agent_id"),
    _text("queue"),
    Column("made_at", BigInteger, nullable=False),
    _text("outcome"),
    _text("cause"),
    Column("explanation", Json, nullable=False),
    Index(None, "interaction_id", "seq"),
    Index(None, "agent_id", "made_at"),
)

dispositions = Table(
    "dispositions",
    metadata,
    _key("interaction_id"),
    _key("agent_id"),
    _text("disposition"),
    Column("saved_at", BigInteger, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    _key("interaction_id"),
    _key("agent_id"),
    _text("text"),
    Column("saved_at", BigInteger, nullable=False),
)

script_answers = Table(
    "script_answers",
    metadata,
    _key("interaction_id"),
    _key("name"),
    _text("agent_id"),
    _text("script"),
    _text("version"),
    _text("value"),
    Column("saved_at", BigInteger, nullable=False),
)

agent_states = Table(
    "agent_states",
    metadata,
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    _text("agent_id"),
    _text("session_id"),
    _text("status"),
    _text("reason"),
    Column("at", BigInteger, nullable=False),
    Index(None, "agent_id", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_utc", UtcDateTime(), nullable=False, index=True),
    _text("actor"),
    _text("action"),
    _text("subject"),
    Column("detail", Json, nullable=False),
)

projection_state = Table(
    "projection_state",
    metadata,
    _key("epoch"),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)
