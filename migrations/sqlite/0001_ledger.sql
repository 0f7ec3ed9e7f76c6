-- The rules every table here keeps, so that the same shapes can be spread over many machines:
-- account_id leads every key, versions are counted in the account's row, times are bound by the
-- caller, and nothing is a sequence or a trigger. Instants are milliseconds since 1970.

-- Facts about the database itself: its epoch.
CREATE TABLE meta (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT meta_key PRIMARY KEY (name)
) STRICT;

CREATE TABLE account (
    account_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    plan       TEXT,
    time_zone  TEXT,
    anchor_at  INTEGER,
    overrides  TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT account_key PRIMARY KEY (account_id),
    CONSTRAINT account_version_counts CHECK (version >= 0)
) STRICT, WITHOUT ROWID;

-- The projection of the entries of each meter's open window.
CREATE TABLE balance (
    account_id    TEXT    NOT NULL,
    meter         TEXT    NOT NULL,
    window_number INTEGER NOT NULL,
    window_start  INTEGER NOT NULL,
    window_end    INTEGER NOT NULL,
    plan_limit    INTEGER,
    enforcement   TEXT    NOT NULL,
    granted       INTEGER NOT NULL,
    used          INTEGER NOT NULL,
    held          INTEGER NOT NULL,
    CONSTRAINT balance_key PRIMARY KEY (account_id, meter),
    CONSTRAINT balance_account FOREIGN KEY (account_id) REFERENCES account (account_id),
    CONSTRAINT balance_window_runs CHECK (window_start < window_end),
    CONSTRAINT balance_enforcement_word CHECK (enforcement IN ('hard', 'soft')),
    CONSTRAINT balance_limit_counts CHECK (plan_limit BETWEEN 0 AND 9007199254740991),
    CONSTRAINT balance_granted_counts CHECK (granted BETWEEN 0 AND 9007199254740991),
    CONSTRAINT balance_used_counts CHECK (used BETWEEN 0 AND 9007199254740991),
    CONSTRAINT balance_held_counts CHECK (held BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;

CREATE TABLE operation (
    account_id TEXT    NOT NULL,
    op_id      TEXT    NOT NULL,
    actor_id   TEXT    NOT NULL,
    model      TEXT,
    state      TEXT    NOT NULL,
    cause      TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    requested  TEXT    NOT NULL,
    holds      TEXT    NOT NULL,
    charged    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT operation_key PRIMARY KEY (account_id, op_id),
    CONSTRAINT operation_account FOREIGN KEY (account_id) REFERENCES account (account_id),
    CONSTRAINT operation_state_word
        CHECK (state IN ('held', 'settled', 'released', 'expired', 'refused', 'fenced'))
) STRICT, WITHOUT ROWID;

-- What changed in (since, version].
CREATE INDEX operation_by_version ON operation (account_id, version);
-- Which holds are due; the one question that is asked across accounts.
CREATE INDEX operation_due ON operation (expires_at) WHERE state = 'held';

-- The ledger: only ever added to. An entry that moves several meters has several lines.
CREATE TABLE entry (
    account_id    TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    line          INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    cause         TEXT    NOT NULL,
    op_id         TEXT,
    actor_id      TEXT,
    made_at       INTEGER NOT NULL,
    meter         TEXT,
    window_number INTEGER NOT NULL,
    used          INTEGER NOT NULL,
    held          INTEGER NOT NULL,
    granted       INTEGER NOT NULL,
    limit_moved   INTEGER NOT NULL,
    seen_moved    INTEGER NOT NULL,
    overage       INTEGER NOT NULL,
    CONSTRAINT entry_key PRIMARY KEY (account_id, version, line),
    CONSTRAINT entry_account FOREIGN KEY (account_id) REFERENCES account (account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversation (
    account_id      TEXT    NOT NULL,
    actor_id        TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    CONSTRAINT conversation_key PRIMARY KEY (account_id, actor_id, conversation_id),
    CONSTRAINT conversation_account FOREIGN KEY (account_id) REFERENCES account (account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversation_by_actor ON conversation (account_id, actor_id, updated_at);

-- Saved in the transaction of the operation's hold or settle: never without its count.
CREATE TABLE message (
    account_id      TEXT    NOT NULL,
    actor_id        TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    line            INTEGER NOT NULL,
    op_id           TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    content         TEXT    NOT NULL,
    model           TEXT,
    created_at      INTEGER NOT NULL,
    CONSTRAINT message_key PRIMARY KEY (account_id, actor_id, conversation_id, version, line),
    CONSTRAINT message_conversation FOREIGN KEY (account_id, actor_id, conversation_id)
        REFERENCES conversation (account_id, actor_id, conversation_id)
) STRICT, WITHOUT ROWID;
