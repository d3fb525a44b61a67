-- A journal as hartslag wrote it when its last migration was "straps": a made-up workout out of a file, and two chunks of a strap.
BEGIN TRANSACTION;
CREATE TABLE arrival (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    path TEXT NOT NULL,              -- where it lay
    sha256 BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    kept INTEGER NOT NULL,           -- 1: the original stays where it is, a copy is filed (`add`)
    ended INTEGER NOT NULL DEFAULT 0,  -- 1: all members are committed, it can be filed
    destination TEXT,                -- below the data folder; null: nowhere
    reason TEXT,                     -- written beside a rejected file
    filed INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "arrival" VALUES(1,1,'/home/ada/w.fit',X'61A581886F1714AF994F430929DEDBFE1F821218BB976C5BB08AC8C9BF108EC7',1795878118823,1,1,'archive/2025/Ada/w.fit',NULL,1);
CREATE TABLE chunk (
    position INTEGER PRIMARY KEY REFERENCES entry,
    person INTEGER NOT NULL REFERENCES person,
    source INTEGER NOT NULL REFERENCES source,
    file INTEGER REFERENCES file,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,        -- of the samples and beats
    end_ms INTEGER NOT NULL,         -- when the recording stopped: the last sample stands until then at most
    samples INTEGER NOT NULL,
    beats INTEGER NOT NULL,
    times_first_ms INTEGER, times BLOB, bpm BLOB,
    beats_first_ms INTEGER, beat_times BLOB, rr BLOB,
    pauses BLOB, movement BLOB
, connection INTEGER REFERENCES connection, steady_ms INTEGER, notified INTEGER, notifications BLOB);
INSERT INTO "chunk" VALUES(2,1,1,1,1761065600000,1761065605000,1761065606000,6,0,1761065600000,X'78017BF10208984180010E0052670498',X'7801AB606461FDF71D0005ED0278',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "chunk" VALUES(6,1,2,NULL,1767225602000,1767225604000,1767225609000,3,4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,2000,3,X'789C636163618083172F189899214C31B7186631F768E67066318F28660042900470');
INSERT INTO "chunk" VALUES(7,1,2,NULL,1767225605000,1767225607000,1767225612000,3,4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,5000,3,X'789C636163618083172F189899214C31CF186631AF68E6706631EF28660042DB0479');
CREATE TABLE clock (
    id INTEGER PRIMARY KEY,
    boot TEXT NOT NULL,
    steady_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    synchronized INTEGER NOT NULL,
    offset_ms INTEGER NOT NULL,      -- what is dated by it: the steady clock and this much
    position INTEGER NOT NULL        -- of the journal just before; what was heard in the boot lies behind that of its first
);
INSERT INTO "clock" VALUES(1,'boot',1000,1767225601000,1,1767225600000,5);
CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    boot TEXT NOT NULL,
    began_ms INTEGER NOT NULL,       -- by the steady clock
    UNIQUE (source, boot, began_ms)
);
INSERT INTO "connection" VALUES(1,2,'boot',1500);
CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL REFERENCES person,
    what TEXT NOT NULL,              -- chunk, file, session, claim, limits, check, profile, collector
    at_ms INTEGER NOT NULL,          -- the moment it is about
    first_ms INTEGER,                -- the time it touches; null: none
    last_ms INTEGER,
    recorded_ms INTEGER NOT NULL,
    file INTEGER REFERENCES file,
    content TEXT                     -- JSON
);
INSERT INTO "entry" VALUES(1,1,'profile',1795878117798,-1125899906842624,1125899906842624,1795878117798,NULL,'{"maximum_bpm": 180, "target_min": 150, "zone": "Etc/UTC"}');
INSERT INTO "entry" VALUES(2,1,'chunk',1761065600000,1761065600000,1761065606000,1795878118823,1,NULL);
INSERT INTO "entry" VALUES(3,1,'session',1761065600000,1761065600000,1761065606000,1795878118823,1,'{"bpm_max": 130, "bpm_mean": 124, "source": "garmin-1-activity", "sport": "running", "sub_sport": "generic", "timer_s": 6.0}');
INSERT INTO "entry" VALUES(4,1,'limits',1761065600000,-1125899906842624,1125899906842624,1795878118823,1,'{"maximum_bpm": 185, "origin": "zones_target", "resting_bpm": null, "threshold_bpm": null}');
INSERT INTO "entry" VALUES(5,1,'file',1795878118823,NULL,NULL,1795878118823,1,'{"beats": 0, "name": "/home/ada/w.fit", "outcome": "stored", "samples": 6, "waiting": 0}');
INSERT INTO "entry" VALUES(6,1,'chunk',1767225602000,1767225602000,1767225609000,1767225660000,NULL,NULL);
INSERT INTO "entry" VALUES(7,1,'chunk',1767225605000,1767225605000,1767225612000,1767225660000,NULL,NULL);
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    arrival INTEGER NOT NULL REFERENCES arrival,
    member TEXT NOT NULL,            -- '' or the name within a zip
    person INTEGER NOT NULL REFERENCES person,
    sha256 BLOB NOT NULL,
    identity TEXT,                   -- maker, serial number and time of creation: equal for two copies of one recording
    digest BLOB,                     -- of the heart rates in it
    outcome TEXT NOT NULL CHECK (outcome IN ('stored', 'duplicate', 'partial', 'rejected')),
    reason TEXT NOT NULL,
    samples INTEGER NOT NULL,
    beats INTEGER NOT NULL,
    first_ms INTEGER,
    last_ms INTEGER,
    replaced_by INTEGER REFERENCES file,
    UNIQUE (arrival, member)
);
INSERT INTO "file" VALUES(1,1,'',1,X'61A581886F1714AF994F430929DEDBFE1F821218BB976C5BB08AC8C9BF108EC7','garmin 1 activity 1761065600000',X'1B97472D1CE1F5317A2FB144E59EE8619744CAE2431DEF59346B7B4F625EE751','stored','',6,0,1761065600000,1761065605000,NULL);
CREATE TABLE identity (journal TEXT NOT NULL);
INSERT INTO "identity" VALUES('9a94fed223b64760fdf9b78b74a29777');
CREATE TABLE merged (position INTEGER NOT NULL);
INSERT INTO "merged" VALUES(0);
CREATE TABLE migration (name TEXT PRIMARY KEY, applied TEXT NOT NULL);
INSERT INTO "migration" VALUES('first light','2026-11-28 15:01:57');
INSERT INTO "migration" VALUES('straps','2026-11-28 15:01:57');
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE);
INSERT INTO "person" VALUES(1,'Ada');
CREATE TABLE reader (name TEXT PRIMARY KEY, position INTEGER NOT NULL, error TEXT, error_ms INTEGER);
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('strap', 'activity', 'monitoring')),
    rank INTEGER NOT NULL,           -- the lower is believed first
    UNIQUE (person, name)
);
INSERT INTO "reader" VALUES('sqlite',0,'the disk is full',1767225600000);
INSERT INTO "source" VALUES(1,1,'garmin-1-activity','activity',2);
INSERT INTO "source" VALUES(2,1,'strap A0:9E:1A:00:00:01','strap',0);
CREATE INDEX arrival_unfiled ON arrival (filed) WHERE filed = 0;
CREATE INDEX arrival_destination ON arrival (destination);
CREATE INDEX file_sha256 ON file (person, sha256);
CREATE INDEX file_identity ON file (person, identity);
CREATE INDEX file_digest ON file (person, digest);
CREATE INDEX chunk_time ON chunk (person, first_ms);
CREATE INDEX clock_boot ON clock (boot);
CREATE INDEX entry_file ON entry (file) WHERE file IS NOT NULL;
CREATE INDEX chunk_file ON chunk (file) WHERE file IS NOT NULL;
CREATE INDEX entry_fact ON entry (person, what, at_ms) WHERE what <> 'chunk';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('entry',7);
COMMIT;
