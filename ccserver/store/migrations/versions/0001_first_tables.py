"""The first tables: customers, users, interactions and what is projected of the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STAMP = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def upgrade() -> None:
    """From nothing."""
    _customers()
    _users()
    _interactions()
    _parts()
    _kept()


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        _text("name"),
        _text("language"),
        _text("tier"),
        _count("worth_cents"),
        sa.Column("churn_per_mille", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        _text("remarks"),
        sa.Column("changed_utc", _STAMP, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("external_id", name="uq_customers_external_id"),
    )
    op.create_table(
        "customer_numbers",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_customer_numbers_customer_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "e164", name="pk_customer_numbers"),
    )
    op.create_index("ix_customer_numbers_e164", "customer_numbers", ["e164"])
    op.create_table(
        "customer_emails",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_customer_emails_customer_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "address", name="pk_customer_emails"),
    )
    op.create_index("ix_customer_emails_address", "customer_emails", ["address"])


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _text("label"),
        _text("role"),
        _text("language"),
        _text("password_hash"),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "web_sessions",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("created_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_utc_ms", sa.BigInteger(), nullable=False),
        _text("address"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_web_sessions_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_web_sessions"),
        sa.UniqueConstraint("id", name="uq_web_sessions_id"),
    )
    op.create_index("ix_web_sessions_user_id", "web_sessions", ["user_id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at_utc", _STAMP, nullable=False),
        _text("actor"),
        _text("action"),
        _text("subject"),
        sa.Column("detail", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at_utc", "audit", ["at_utc"])


def _interactions() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_table(
        "interactions",
        sa.Column("id", sa.Text(), nullable=False),
        _text("conversation_id"),
        _text("medium"),
        _text("direction", "inbound"),
        _text("queue"),
        _text("customer_id"),
        _text("outcome"),
        _count("stake_cents"),
        sa.Column("arrived_at", sa.BigInteger(), nullable=True),
        sa.Column("arrived_utc", _STAMP, nullable=True),
        sa.Column("queued_at", sa.BigInteger(), nullable=True),
        sa.Column("queued_utc", _STAMP, nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_utc", _STAMP, nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_utc", _STAMP, nullable=True),
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
        sa.PrimaryKeyConstraint("id", name="pk_interactions"),
    )
    op.create_index("ix_interactions_arrived_at", "interactions", ["arrived_at"])
    op.create_index("ix_interactions_conversation_id", "interactions", ["conversation_id"])
    op.create_index("ix_interactions_customer_id_arrived_at", "interactions", ["customer_id", "arrived_at"])
    op.create_index("ix_interactions_pbx_leg", "interactions", ["pbx", "leg"])
    op.create_index("ix_interactions_repeat_of", "interactions", ["repeat_of"])


def _parts() -> None:
    op.create_table(
        "segments",
        sa.Column("offer_id", sa.Text(), nullable=False),
        _text("interaction_id"),
        _text("agent_id"),
        _text("queue"),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_utc", _STAMP, nullable=False),
        sa.Column("talk_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("wrap_up_ended_at", sa.BigInteger(), nullable=True),
        _text("ended_by"),
        _text("disposition"),
        sa.Column("finished", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name="pk_segments"),
    )
    op.create_index("ix_segments_agent_id_answered_at", "segments", ["agent_id", "answered_at"])
    op.create_index("ix_segments_interaction_id_agent_id", "segments", ["interaction_id", "agent_id"])
    op.create_table(
        "decisions",
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        _text("interaction_id"),
        _text("agent_id"),
        _text("queue"),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        _text("outcome"),
        _text("cause"),
        sa.Column("explanation", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_agent_id_made_at", "decisions", ["agent_id", "made_at"])
    op.create_index("ix_decisions_interaction_id_seq", "decisions", ["interaction_id", "seq"])
    op.create_table(
        "agent_states",
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        _text("agent_id"),
        _text("session_id"),
        _text("status"),
        _text("reason"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "seq", "place", name="pk_agent_states"),
    )
    op.create_index("ix_agent_states_agent_id_at", "agent_states", ["agent_id", "at"])
    op.create_table(
        "projection_state",
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="pk_projection_state"),
    )


def _kept() -> None:
    op.create_table(
        "interaction_contacts",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        _text("origin_raw"),
        _text("origin_e164"),
        _text("origin_name"),
        _text("destination"),
        sa.Column("entered", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", name="pk_interaction_contacts"),
    )
    op.create_index("ix_interaction_contacts_origin_e164", "interaction_contacts", ["origin_e164"])
    op.create_table(
        "dispositions",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        _text("disposition"),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "agent_id", name="pk_dispositions"),
    )
    op.create_table(
        "notes",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        _text("text"),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "agent_id", name="pk_notes"),
    )
    op.create_table(
        "script_answers",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _text("agent_id"),
        _text("script"),
        _text("version"),
        _text("value"),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "name", name="pk_script_answers"),
    )
