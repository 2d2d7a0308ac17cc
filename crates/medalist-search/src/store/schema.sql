-- Columns of floats have no type: SQLite then stores them as given, where a REAL column would turn -0.0 into 0.
CREATE TABLE studies (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    identity TEXT NOT NULL,
    spec TEXT NOT NULL
);
CREATE TABLE trials (
    study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    params TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    score,
    stages TEXT,
    seconds NOT NULL,
    created TEXT NOT NULL,
    PRIMARY KEY (study_id, number)
) WITHOUT ROWID;
CREATE TABLE fold_scores (
    study_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    objective INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    score NOT NULL,
    seconds NOT NULL,
    PRIMARY KEY (study_id, number, objective, repeat, fold),
    FOREIGN KEY (study_id, number) REFERENCES trials (study_id, number) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE attachments (
    study_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (study_id, number, name),
    FOREIGN KEY (study_id, number) REFERENCES trials (study_id, number) ON DELETE CASCADE
);
