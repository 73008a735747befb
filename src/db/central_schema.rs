//! The tables of the organisation's database, as migrations; see `schema`.

/// Each brings the database from the version that is its index to the next.
pub(super) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE installation (
    id          BLOB NOT NULL CHECK (length(id) = 16),
    timezone    TEXT NOT NULL           -- as in Asia/Kolkata: where days begin and end
) STRICT;

-- A number is stable and never used again, hence AUTOINCREMENT.
CREATE TABLE employee (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    joined      TEXT NOT NULL,          -- YYYY-MM-DD, the first day of employment
    suspended   INTEGER                 -- since when, UTC milliseconds; NULL: is not
) STRICT;

-- A twinklet belongs to one employee at a time: no two rows of one overlap.
CREATE TABLE assignment (
    id          INTEGER PRIMARY KEY,
    twinklet    INTEGER NOT NULL CHECK (twinklet BETWEEN 1 AND 9007199254740991),
    employee    INTEGER NOT NULL REFERENCES employee,
    from_day    TEXT NOT NULL,          -- YYYY-MM-DD, the first day
    until_day   TEXT CHECK (until_day >= from_day)  -- the last day; NULL: no end
) STRICT;
CREATE INDEX assignment_twinklet ON assignment (twinklet, from_day);
CREATE INDEX assignment_employee ON assignment (employee);

CREATE TABLE door (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    since       INTEGER NOT NULL        -- UTC milliseconds
) STRICT;

CREATE TABLE relay (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    since       INTEGER NOT NULL        -- UTC milliseconds
) STRICT;

-- Append-only. Every index grows at its end; there is none on employee, which costs four times the
-- rest of a flash: the events of one employee are found by scanning the days asked for.
CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    uid         BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
    kind        TEXT NOT NULL,          -- 'flash'
    at          INTEGER NOT NULL,       -- UTC milliseconds, the central's clock
    day         TEXT NOT NULL,          -- YYYY-MM-DD, the day it counts for
    door        INTEGER REFERENCES door,     -- NULL: unknown
    relay       INTEGER REFERENCES relay,    -- NULL: straight from the door
    twinklet    INTEGER,
    employee    INTEGER REFERENCES employee, -- NULL: the twinklet is nobody's
    verdict     TEXT,                   -- 'open' or the code of a reason
    device_at   INTEGER NOT NULL        -- UTC milliseconds, the device's clock
) STRICT;
CREATE INDEX event_at ON event (at);

-- What is learnt later: an 'open' that reached no door, so that its event counts for nothing. The
-- word may come before the event itself.
CREATE TABLE undelivered (
    uid         BLOB PRIMARY KEY CHECK (length(uid) = 16),
    at          INTEGER NOT NULL        -- UTC milliseconds
) STRICT, WITHOUT ROWID;

-- The days on which an employee was present. Ordered by day, so that it grows at its end.
CREATE TABLE attendance (
    day         TEXT NOT NULL,          -- YYYY-MM-DD
    employee    INTEGER NOT NULL REFERENCES employee,
    first       INTEGER NOT NULL,       -- UTC milliseconds
    last        INTEGER NOT NULL,       -- UTC milliseconds
    flashes     INTEGER NOT NULL CHECK (flashes > 0),
    PRIMARY KEY (day, employee)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,       -- UTC milliseconds
    who         TEXT NOT NULL,
    action      TEXT NOT NULL,
    employee    INTEGER REFERENCES employee,
    detail      TEXT NOT NULL
) STRICT;
",
    "
-- When a central last wrote that it lives, UTC milliseconds: every few minutes, and that row alone,
-- however many devices are connected. SD cards wear.
ALTER TABLE installation ADD COLUMN alive INTEGER;
-- Since when a device is connected, UTC milliseconds; NULL: is not. And when it was last heard of,
-- unless it is connected: then whenever the central lived.
ALTER TABLE door ADD COLUMN connected INTEGER;
ALTER TABLE door ADD COLUMN heard INTEGER;
-- Through which relay it last came; NULL: straight.
ALTER TABLE door ADD COLUMN relay INTEGER REFERENCES relay;
ALTER TABLE relay ADD COLUMN connected INTEGER;
ALTER TABLE relay ADD COLUMN heard INTEGER;
",
    "
ALTER TABLE employee ADD COLUMN left_on TEXT;      -- YYYY-MM-DD, the last day; NULL: has not left
ALTER TABLE employee ADD COLUMN department TEXT;
-- Has no line on the register: a visitor's pass, a shared badge.
ALTER TABLE employee ADD COLUMN off_register INTEGER NOT NULL DEFAULT 0
    CHECK (off_register IN (0, 1));
-- When entry is allowed, as in 'mon-fri 08:00-20:00'; NULL: at any time.
ALTER TABLE employee ADD COLUMN hours TEXT;
-- Whether only the doors of door_grant may be used, be they none; else all may.
ALTER TABLE employee ADD COLUMN doors_listed INTEGER NOT NULL DEFAULT 0
    CHECK (doors_listed IN (0, 1));

-- Since when the badge is lost or taken back, UTC milliseconds; NULL: is not. It no longer keeps
-- the badge from being given to somebody else.
ALTER TABLE assignment ADD COLUMN revoked INTEGER;

-- Since when the door is out of service, UTC milliseconds; NULL: is not.
ALTER TABLE door ADD COLUMN retired INTEGER;

CREATE TABLE door_grant (
    employee    INTEGER NOT NULL REFERENCES employee,
    door        INTEGER NOT NULL REFERENCES door,
    PRIMARY KEY (employee, door)
) STRICT, WITHOUT ROWID;

-- What a change changed: JSON objects of the values before and after it, by field.
ALTER TABLE audit ADD COLUMN old TEXT;
ALTER TABLE audit ADD COLUMN new TEXT;
",
    "
-- What happens at doors beside flashes has kinds of its own, and neither badge nor verdict; `about`
-- is the uid of the event that it followed.
ALTER TABLE event ADD COLUMN about BLOB CHECK (length(about) = 16);
",
    "
-- What devices are known by: a row for each identity ever given out.
CREATE TABLE identity (
    id          INTEGER PRIMARY KEY,
    role        TEXT NOT NULL CHECK (role IN ('door', 'relay')),
    name        TEXT NOT NULL,
    fingerprint BLOB UNIQUE CHECK (length(fingerprint) = 32), -- NULL: a door for plain text
    since       INTEGER NOT NULL,       -- UTC milliseconds
    used        INTEGER,                -- first, UTC milliseconds; NULL: not yet
    ended       INTEGER                 -- UTC milliseconds; NULL: holds
) STRICT;
CREATE INDEX identity_name ON identity (name);

-- The relays through which a door may come.
CREATE TABLE identity_relay (
    identity    INTEGER NOT NULL REFERENCES identity,
    relay       TEXT NOT NULL,
    PRIMARY KEY (identity, relay)
) STRICT, WITHOUT ROWID;

-- Grows with each change of identities: the running central looks at it.
ALTER TABLE installation ADD COLUMN identities INTEGER NOT NULL DEFAULT 0;
",
    "
-- When days begin and which are off: a row for the installation, whose department is '', and one
-- for each department that differs, by its name in lower case.
CREATE TABLE calendar_rule (
    department      TEXT PRIMARY KEY,
    timezone        TEXT NOT NULL,      -- as in Asia/Kolkata
    day_starts_at   INTEGER NOT NULL CHECK (day_starts_at BETWEEN 0 AND 1439),  -- minutes
    weekly_off      TEXT NOT NULL,      -- as in 'sunday, 2nd saturday', or 'none'
    common_holidays INTEGER NOT NULL CHECK (common_holidays IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO calendar_rule SELECT '', timezone, 0, 'sunday', 1 FROM installation;
ALTER TABLE installation DROP COLUMN timezone;

CREATE TABLE holiday (
    day         TEXT NOT NULL,          -- YYYY-MM-DD
    department  TEXT NOT NULL REFERENCES calendar_rule,
    name        TEXT NOT NULL,
    PRIMARY KEY (day, department, name)
) STRICT, WITHOUT ROWID;
",
    "
-- How far the central has come with what a relay keeps for it: which file of the relay's, up to
-- which number, and how many entries the relay had left then.
ALTER TABLE relay ADD COLUMN spool BLOB;
ALTER TABLE relay ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relay ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
-- For how long a relay decides by itself, milliseconds; NULL: not at all. Until when, UTC
-- milliseconds, everything that it decided is here. And since when it is out of service.
ALTER TABLE relay ADD COLUMN offline_for INTEGER;
ALTER TABLE relay ADD COLUMN complete_until INTEGER;
ALTER TABLE relay ADD COLUMN retired INTEGER;

-- When an event was stored that a relay had kept, UTC milliseconds; NULL: as it happened. And what
-- cannot be right about its time: 'clock-unset', 'clock-ahead'; NULL: nothing.
ALTER TABLE event ADD COLUMN received INTEGER;
ALTER TABLE event ADD COLUMN clock TEXT;

-- What the central had decided of an event whose door acted on another verdict, a relay's: that one
-- is the truth, and stands in 'event'.
CREATE TABLE overruled (
    uid         BLOB PRIMARY KEY CHECK (length(uid) = 16),
    at          INTEGER NOT NULL,       -- UTC milliseconds
    verdict     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
-- What the office set in the register. Append-only: the last of a day counts.
CREATE TABLE correction (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,       -- UTC milliseconds
    who         TEXT NOT NULL,
    employee    INTEGER NOT NULL REFERENCES employee,
    day         TEXT NOT NULL,          -- YYYY-MM-DD
    mark        TEXT CHECK (mark IN ('P', 'A', 'L', 'HD')),  -- NULL: as derived
    reason      TEXT NOT NULL
) STRICT;
CREATE INDEX correction_day ON correction (day, employee);

-- The months as they were signed.
CREATE TABLE closing (
    id          INTEGER PRIMARY KEY,
    month       TEXT NOT NULL,          -- YYYY-MM-DD, its first day
    at          INTEGER NOT NULL,       -- UTC milliseconds
    who         TEXT NOT NULL,
    days        TEXT NOT NULL,          -- JSON: what each day was
    notes       TEXT NOT NULL,          -- JSON: why some were not final
    sheet       TEXT NOT NULL,          -- JSON: what was written around it
    reopened    INTEGER,                -- UTC milliseconds; NULL: is closed
    reopened_by TEXT,
    reason      TEXT
) STRICT;
CREATE UNIQUE INDEX closing_month ON closing (month) WHERE reopened IS NULL;
CREATE TABLE closing_row (
    closing     INTEGER NOT NULL REFERENCES closing,
    employee    INTEGER NOT NULL REFERENCES employee,
    name        TEXT NOT NULL,          -- as it was then
    content     TEXT NOT NULL,          -- JSON: the marks, totals, corrections and times
    PRIMARY KEY (closing, employee)
) STRICT, WITHOUT ROWID;

-- Which way people go through a door: a flash at one that is only an exit makes nobody present.
ALTER TABLE door ADD COLUMN direction TEXT NOT NULL DEFAULT 'both'
    CHECK (direction IN ('in', 'out', 'both'));
CREATE TABLE attendance_seen (
    day         TEXT NOT NULL,          -- YYYY-MM-DD
    employee    INTEGER NOT NULL REFERENCES employee,
    first       INTEGER,                -- UTC milliseconds; NULL: seen at exits only
    last        INTEGER NOT NULL,       -- UTC milliseconds, at any door
    flashes     INTEGER NOT NULL CHECK (flashes > 0),
    PRIMARY KEY (day, employee)
) STRICT, WITHOUT ROWID;
INSERT INTO attendance_seen SELECT day, employee, first, last, flashes FROM attendance;
DROP TABLE attendance;
ALTER TABLE attendance_seen RENAME TO attendance;
",
    "
-- Who needs one-time codes. The seed is sealed with a key that lies outside the database.
CREATE TABLE code (
    employee    INTEGER PRIMARY KEY REFERENCES employee,
    sealed      BLOB NOT NULL,
    algorithm   TEXT NOT NULL,          -- 'SHA1' or 'SHA256'
    digits      INTEGER NOT NULL CHECK (digits BETWEEN 6 AND 8),
    last_step   INTEGER NOT NULL,       -- up to which steps of 30 s are used
    since       INTEGER NOT NULL        -- UTC milliseconds
) STRICT;

-- The badges with which wrong codes came since the last right one.
CREATE TABLE code_lock (
    twinklet    INTEGER PRIMARY KEY,
    wrong       INTEGER NOT NULL,
    until       INTEGER NOT NULL        -- UTC milliseconds: locked so long
) STRICT;

-- Whether everybody needs a code at the door.
ALTER TABLE door ADD COLUMN requires_code INTEGER NOT NULL DEFAULT 0
    CHECK (requires_code IN (0, 1));
",
    "
-- Whether nobody said so, and only the answer could not be handed over: until the relay tells what
-- its door did.
ALTER TABLE undelivered ADD COLUMN presumed INTEGER NOT NULL DEFAULT 0 CHECK (presumed IN (0, 1));
",
    "
-- The unknown badges that came to each door lately.
CREATE TABLE guess (
    door        INTEGER PRIMARY KEY REFERENCES door,
    began       INTEGER NOT NULL,       -- UTC milliseconds
    last        INTEGER NOT NULL,       -- UTC milliseconds
    count       INTEGER NOT NULL,
    event       INTEGER REFERENCES event -- what they are in the log; NULL: too few
) STRICT;

-- How many unknown badges an event of guessing stands for.
CREATE TABLE guessing (
    event       INTEGER PRIMARY KEY REFERENCES event,
    count       INTEGER NOT NULL
) STRICT;

-- The flashes of badges that had been at another door so shortly before that nobody goes so fast.
CREATE TABLE hasty (
    event       INTEGER PRIMARY KEY REFERENCES event,
    door        INTEGER NOT NULL REFERENCES door, -- where it was before
    after       INTEGER NOT NULL        -- milliseconds
) STRICT;
",
    "
-- How long flashes took through relays.
CREATE TABLE delay (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,       -- UTC milliseconds
    door        INTEGER NOT NULL REFERENCES door,
    relay       INTEGER NOT NULL REFERENCES relay,
    us          INTEGER NOT NULL        -- microseconds
) STRICT;
CREATE INDEX delay_at ON delay (at);
",
    "
-- The day before which events were moved into an archive, YYYY-MM-DD; NULL: none were.
ALTER TABLE installation ADD COLUMN archived TEXT;
",
    "
-- Relays tell many delays at once. They are kept as they come, a row for all of them: the time that
-- goes into them is taken from those who stand before a door.
CREATE TABLE told (
    id          INTEGER PRIMARY KEY,
    relay       INTEGER NOT NULL REFERENCES relay,
    first       INTEGER NOT NULL,       -- UTC milliseconds; none of them is before it
    last        INTEGER NOT NULL,       -- UTC milliseconds; none of them is after it
    delays      TEXT NOT NULL           -- JSON: of each the door, ms since first, and microseconds
) STRICT;
CREATE INDEX told_last ON told (last);
INSERT INTO told (relay, first, last, delays)
    SELECT relay, at / 10000 * 10000, max(at),
        json_group_array(json_array(door, at - at / 10000 * 10000, us))
    FROM delay GROUP BY relay, at / 10000 ORDER BY at / 10000;
DROP TABLE delay;
-- Each of them in a row of its own, for whoever looks into the database.
CREATE VIEW delay AS
    SELECT first + (value ->> 1) AS at, value ->> 0 AS door, relay, value ->> 2 AS us
    FROM told JOIN json_each(told.delays);
",
    "
-- Attendance as far as it is counted: an 'open' stands in the log first, and is counted a little
-- later. The newest event (its id) that is in each; and up to which event of the log all are in one.
ALTER TABLE attendance RENAME TO counted;
ALTER TABLE counted ADD COLUMN up_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE installation ADD COLUMN counted_to INTEGER NOT NULL DEFAULT 0;
UPDATE installation SET counted_to = (SELECT coalesce(max(id), 0) FROM event);
CREATE VIEW uncounted AS
    SELECT event.id AS event, day, employee, iif(direction = 'out', NULL, at) AS first, at AS last
    FROM event LEFT JOIN door ON door.id = event.door
    WHERE event.id > (SELECT counted_to FROM installation)
        AND verdict = 'open' AND employee IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid)
        AND NOT EXISTS (
            SELECT 1 FROM counted
            WHERE counted.day = event.day AND counted.employee = event.employee
                AND up_to >= event.id
        );
CREATE VIEW uncounted_day AS
    SELECT day, employee, min(first) AS first, max(last) AS last, count(*) AS flashes,
        max(event) AS up_to
    FROM uncounted GROUP BY day, employee;
-- The days on which an employee was present. No sum over both, which would look at every day there
-- is whichever is asked for.
CREATE VIEW attendance AS
    SELECT counted.day AS day, counted.employee AS employee,
        min(coalesce(counted.first, later.first), coalesce(later.first, counted.first)) AS first,
        max(counted.last, coalesce(later.last, counted.last)) AS last,
        counted.flashes + coalesce(later.flashes, 0) AS flashes
    FROM counted LEFT JOIN uncounted_day AS later
        ON later.day = counted.day AND later.employee = counted.employee
    UNION ALL
    SELECT day, employee, first, last, flashes FROM uncounted_day AS later
    WHERE NOT EXISTS (
        SELECT 1 FROM counted WHERE counted.day = later.day AND counted.employee = later.employee
    );
",
];
