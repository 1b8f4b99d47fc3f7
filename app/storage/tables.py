"""The tables. Times are seconds since 1970; sealed columns are `LargeBinary`."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

metadata = MetaData()
# SQLite numbers rows by itself only in a column that is called INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")

sessions = Table(
    "sessions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("public_id", String(32), nullable=False, unique=True),
    Column("platform", String(32), nullable=False),
    Column("chat_id", String(128), nullable=False),
    Column("thread_id", String(128), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("active_at", Float, nullable=False, index=True),
    Column("message_count", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("told", String(256), nullable=False),
    Column("dialogue", LargeBinary),
    UniqueConstraint("platform", "chat_id", "thread_id", "user_id"),
    # No number comes twice: what a turn keeps at its end must not land in the session of
    # somebody else, when its own was deleted meanwhile.
    sqlite_autoincrement=True,
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("said", LargeBinary, nullable=False),
    Column("pictures", Integer, nullable=False),
    sqlite_with_rowid=False,
)

pictures = Table(
    "pictures",
    metadata,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("media_type", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("model", String(256)),
    Column("language", String(64)),
    Column("length", String(16)),
    Column("streaming", Integer),
    Column("time_zone", String(64)),
)

turns = Table(
    "turns",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("caller", String(32), nullable=False),
    Column("platform", String(32), nullable=False),
    Column("chat_id", String(128), nullable=False),
    Column("message_id", String(128), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("conversation", RowId, nullable=False),
    Column("state", String(8), nullable=False),
    Column("owner", String(32), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("request", LargeBinary),
    Column("reply", LargeBinary),
    Column("accepted_at", Float, nullable=False, index=True),
    Column("request_id", String(32), nullable=False, server_default=""),
    UniqueConstraint("caller", "platform", "chat_id", "message_id"),
    sqlite_autoincrement=True,
)
# Few turns are open at a time: the index that finds them stays small however many are kept.
# Words in the text, not parameters: SQLite cannot tell that a parameter fits the index.
_OPEN_STATES: tuple[ColumnElement[str], ...] = (
    literal_column("'waiting'"),
    literal_column("'working'"),
)
OPEN = turns.c.state.in_(_OPEN_STATES)
EARLIER = turns.alias("earlier")
EARLIER_OPEN = EARLIER.c.state.in_(_OPEN_STATES)
Index("open_turns", turns.c.conversation, turns.c.id, sqlite_where=OPEN, postgresql_where=OPEN)

usage = Table(
    "usage",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("platform", String(32), primary_key=True),
    Column("model", String(256), primary_key=True),
    Column("messages", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
)

# What came in from Telegram, once each: ids are random after a quiet week, so they are compared
# one by one and never by order.
updates = Table(
    "updates",
    metadata,
    Column("bot_id", String(32), primary_key=True),
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", String(16), nullable=False),
    Column("raw", LargeBinary),
    Column("received_at", Float, nullable=False, index=True),
    sqlite_with_rowid=False,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("chat_id", String(128), nullable=False),
    Column("thread_id", String(128)),
    Column("source_message_id", String(128)),
    Column("user_id", String(128), nullable=False),
    Column("turn", RowId, index=True),
    Column("state", String(8), nullable=False),
    Column("edits", Text().with_variant(String(4096), "sqlite"), nullable=False),
    Column("progress", LargeBinary),
    Column("reply", LargeBinary),
    Column("reason", String(256), nullable=False),
    Column("not_before", Float, nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    Column("changed", RowId, nullable=False),
    Column("request_id", String(32), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
_DUE_STATE: ColumnElement[str] = literal_column("'open'")
DUE = deliveries.c.state == _DUE_STATE
NEWER = deliveries.alias("newer")
NEWER_DUE = NEWER.c.state == _DUE_STATE
Index(
    "due_deliveries",
    deliveries.c.platform,
    deliveries.c.changed,
    sqlite_where=DUE,
    postgresql_where=DUE,
)

buttons = Table(
    "buttons",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("send", LargeBinary, nullable=False),
    Column("made_at", Float, nullable=False, index=True),
)

bans = Table(
    "bans",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("since", Float, nullable=False),
)

daily = Table(
    "daily",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("platform", String(32), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("turns", Integer, nullable=False),
)

# Whoever signed in to Plume. One row per person; others use it by a grant.
connections = Table(
    "connections",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("credentials", LargeBinary, nullable=False),
    Column("made_at", Float, nullable=False),
    UniqueConstraint("platform", "user_id"),
    sqlite_autoincrement=True,
)

# `scope` is JSON: the customers and locations that may be seen, or null for all.
grants = Table(
    "grants",
    metadata,
    Column("connection", ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True),
    Column("platform", String(32), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("scope", LargeBinary, nullable=False),
    Column("made_at", Float, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("mark", LargeBinary(32), primary_key=True),
    Column("connection", ForeignKey("connections.id", ondelete="CASCADE"), nullable=False),
    Column("scope", LargeBinary, nullable=False),
    Column("until", Float, nullable=False, index=True),
)

# Locations that a person chose; the latest is the one that reports are about.
places = Table(
    "places",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("customer_id", String(64), primary_key=True),
    Column("location_id", String(64), primary_key=True),
    Column("names", LargeBinary, nullable=False),
    Column("favourite", Integer, nullable=False),
    Column("chosen_at", Float, nullable=False),
)

# Who looked at whose network, and who let whom.
audits = Table(
    "audits",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("platform", String(32), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("connection", RowId, nullable=False),
    Column("action", String(32), nullable=False),
    Column("customer_id", String(64), nullable=False),
    Column("location_id", String(64), nullable=False),
)

# What AI answers cost, per day by UTC: `spent_usd` is what was reported, and each open call holds
# the most that it may cost until it is settled, or until `until` when its process died.
spends = Table(
    "spends",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("spent_usd", Float, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("day", Integer, nullable=False, index=True),
    Column("amount_usd", Float, nullable=False),
    Column("until", Float, nullable=False),
)

# What an operator has to know, one row per cause. `told_at`: when it was last sent to the
# administrators; `over_at`: when it ended, null while it goes on.
alerts = Table(
    "alerts",
    metadata,
    Column("cause", String(64), primary_key=True),
    Column("began_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("told_at", Float, nullable=False),
    Column("over_at", Float),
)

# Signed calls, each once, and the HTTP status that answered them.
webhooks = Table(
    "webhooks",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("webhook_id", String(256), primary_key=True),
    Column("received_at", Float, nullable=False, index=True),
    Column("status", Integer, nullable=False, server_default="202"),
)
