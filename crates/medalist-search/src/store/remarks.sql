-- What people say of studies and trials. Number -1 is the study itself; not of the table `trials`, whose rows are written anew.
CREATE TABLE tags (
    study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (study_id, number, tag)
) WITHOUT ROWID;
CREATE TABLE notes (
    study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (study_id, number)
) WITHOUT ROWID;
ALTER TABLE studies ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
