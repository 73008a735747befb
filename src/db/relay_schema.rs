//! The tables of a relay's own file, as migrations; see `schema`.

/// Each brings the file from the version that is its index to the next.
pub(super) const MIGRATIONS: &[&str] = &[
    "
-- One row.
CREATE TABLE file (
    id           BLOB NOT NULL CHECK (length(id) = 16), -- tells the numbers of this file's entries
                                                        -- from those of one that was lost
    installation BLOB,                  -- whose entries these are; NULL: no central was met yet
    acknowledged INTEGER NOT NULL       -- the entries up to this number are the central's
) STRICT;

-- What happened here, in order, numbered from 1 without a gap: a row for each commit, with all that
-- it held. Beyond 'acknowledged' it is the spool; up to there it is kept for a central that is
-- restored from an older backup.
CREATE TABLE entries (
    last        INTEGER PRIMARY KEY,    -- the number of the last one
    count       INTEGER NOT NULL CHECK (count > 0),
    at          INTEGER NOT NULL,       -- UTC milliseconds, the relay's clock
    boot        BLOB NOT NULL,          -- since which start of the machine ages are counted
    body        BLOB NOT NULL           -- a list of entries in MessagePack
) STRICT;
",
    "
-- Whether the central decided them, and so has them: kept only for one that is restored from an
-- older backup.
ALTER TABLE entries ADD COLUMN online INTEGER NOT NULL DEFAULT 0 CHECK (online IN (0, 1));
",
    "
-- What the relay may decide by when it is cut off: one row, or none.
CREATE TABLE roster (
    generation  INTEGER NOT NULL,       -- which rows of 'badge' are its
    at          INTEGER NOT NULL,       -- up to which of the central's changes it knows
    sum         INTEGER NOT NULL,       -- of the badges' digests, modulo 2^64
    zone        TEXT NOT NULL,          -- as in Asia/Kolkata: where days begin and end
    day_starts_at INTEGER NOT NULL,     -- minutes after midnight
    confirmed   INTEGER NOT NULL,       -- when the central last said that it is right, UTC
                                        -- milliseconds, the central's clock
    boot        BLOB NOT NULL,          -- and how many milliseconds the machine had been up then,
    uptime      INTEGER NOT NULL        -- since that start
) STRICT;

CREATE TABLE roster_door (
    name        TEXT PRIMARY KEY,
    id          INTEGER NOT NULL,       -- its number in the badges' lists
    retired     INTEGER NOT NULL CHECK (retired IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Those of a generation beyond the roster's are on their way to replace it.
CREATE TABLE badge (
    generation  INTEGER NOT NULL,
    twinklet    INTEGER NOT NULL,
    body        BLOB NOT NULL,          -- a list in MessagePack, as it came
    PRIMARY KEY (generation, twinklet)
) STRICT, WITHOUT ROWID;
",
    "
-- Whether everybody needs a one-time code at the door.
ALTER TABLE roster_door ADD COLUMN requires_code INTEGER NOT NULL DEFAULT 0
    CHECK (requires_code IN (0, 1));
",
    "
-- The identities with which doors may come, as the central told them last: one row, or none.
CREATE TABLE roll (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    identities  BLOB NOT NULL CHECK (length(identities) % 32 = 0)
) STRICT;
",
];
