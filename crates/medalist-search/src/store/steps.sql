CREATE TABLE steps (
    study_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    step INTEGER NOT NULL,
    value NOT NULL,
    PRIMARY KEY (study_id, number, fold, step),
    FOREIGN KEY (study_id, number) REFERENCES trials (study_id, number) ON DELETE CASCADE
) WITHOUT ROWID;
