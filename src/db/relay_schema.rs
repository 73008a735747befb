//! The tables of a relay's own file, as `schema` has those of the database.

/// Each brings the file from the version that is its index to the next.
pub(super) const MIGRATIONS: &[&str] = &["
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
"];
