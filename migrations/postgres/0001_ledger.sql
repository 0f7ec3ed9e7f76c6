-- The same shapes as in migrations/sqlite, in Postgres' own types, and the same rules: account_id leads
-- every key, versions are counted in the account's row, times are bound by the caller, and nothing is
-- a sequence or a trigger. Instants are milliseconds since 1970. Keys compare byte by byte.

-- Facts about the database itself: its epoch.
CREATE TABLE meta (
    name  TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT meta_key PRIMARY KEY (name)
);

CREATE TABLE account (
    account_id TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    plan       TEXT,
    time_zone  TEXT,
    anchor_at  BIGINT,
    overrides  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT account_key PRIMARY KEY (account_id),
    CONSTRAINT account_version_counts CHECK (version >= 0)
) WITH (fillfactor = 70);

-- The projection of the entries of each meter's open window. Rows change with every operation: room
-- is left on each page, so that the new version of a row stays on it and no index moves.
CREATE TABLE balance (
    account_id    TEXT COLLATE "C" NOT NULL,
    meter         TEXT COLLATE "C" NOT NULL,
    window_number BIGINT NOT NULL,
    window_start  BIGINT NOT NULL,
    window_end    BIGINT NOT NULL,
    plan_limit    BIGINT,
    enforcement   TEXT   NOT NULL,
    granted       BIGINT NOT NULL,
    used          BIGINT NOT NULL,
    held          BIGINT NOT NULL,
    CONSTRAINT balance_key PRIMARY KEY (account_id, meter),
    CONSTRAINT balance_account FOREIGN KEY (account_id) REFERENCES account (account_id),
    CONSTRAINT balance_window_runs CHECK (window_start < window_end),
    CONSTRAINT balance_enforcement_word CHECK (enforcement IN ('hard', 'soft')),
    CONSTRAINT balance_limit_counts CHECK (plan_limit BETWEEN 0 AND 9007199254740991),
    CONSTRAINT balance_granted_counts CHECK (granted BETWEEN 0 AND 9007199254740991),
    CONSTRAINT balance_used_counts CHECK (used BETWEEN 0 AND 9007199254740991),
    CONSTRAINT balance_held_counts CHECK (held BETWEEN 0 AND 9007199254740991)
) WITH (fillfactor = 70);

CREATE TABLE operation (
    account_id      TEXT COLLATE "C" NOT NULL,
    op_id           UUID   NOT NULL,
    actor_id        TEXT COLLATE "C" NOT NULL,
    model           TEXT,
    state           TEXT   NOT NULL,
    cause           TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    requested       TEXT   NOT NULL,
    held_content    BYTEA,
    settled_content BYTEA,
    holds           TEXT   NOT NULL,
    charged         TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    CONSTRAINT operation_key PRIMARY KEY (account_id, op_id),
    CONSTRAINT operation_account FOREIGN KEY (account_id) REFERENCES account (account_id),
    CONSTRAINT operation_state_word
        CHECK (state IN ('held', 'settled', 'released', 'expired', 'refused', 'fenced'))
);

-- What changed in (since, version].
CREATE INDEX operation_by_version ON operation (account_id, version);
-- Which holds are due; the one question that is asked across accounts.
CREATE INDEX operation_due ON operation (expires_at) WHERE state = 'held';

-- The ledger: only ever added to. An entry that moves several meters has several lines.
CREATE TABLE entry (
    account_id    TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL,
    line          BIGINT NOT NULL,
    kind          TEXT   NOT NULL,
    cause         TEXT   NOT NULL,
    op_id         UUID,
    actor_id      TEXT COLLATE "C",
    made_at       BIGINT NOT NULL,
    meter         TEXT COLLATE "C",
    window_number BIGINT NOT NULL,
    used          BIGINT NOT NULL,
    held          BIGINT NOT NULL,
    granted       BIGINT NOT NULL,
    limit_moved   BIGINT NOT NULL,
    seen_moved    BIGINT NOT NULL,
    overage       BIGINT NOT NULL,
    CONSTRAINT entry_key PRIMARY KEY (account_id, version, line),
    CONSTRAINT entry_account FOREIGN KEY (account_id) REFERENCES account (account_id)
);

CREATE TABLE conversation (
    account_id      TEXT COLLATE "C" NOT NULL,
    actor_id        TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    title           TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    CONSTRAINT conversation_key PRIMARY KEY (account_id, actor_id, conversation_id),
    CONSTRAINT conversation_account FOREIGN KEY (account_id) REFERENCES account (account_id)
);

CREATE INDEX conversation_by_actor ON conversation (account_id, actor_id, updated_at, conversation_id);

-- Saved in the transaction of the operation's hold or settle: never without its count.
CREATE TABLE message (
    account_id      TEXT COLLATE "C" NOT NULL,
    actor_id        TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    version         BIGINT NOT NULL,
    line            BIGINT NOT NULL,
    op_id           UUID   NOT NULL,
    role            TEXT   NOT NULL,
    content         TEXT   NOT NULL,
    model           TEXT,
    created_at      BIGINT NOT NULL,
    CONSTRAINT message_key PRIMARY KEY (account_id, actor_id, conversation_id, version, line),
    CONSTRAINT message_conversation FOREIGN KEY (account_id, actor_id, conversation_id)
        REFERENCES conversation (account_id, actor_id, conversation_id)
);
