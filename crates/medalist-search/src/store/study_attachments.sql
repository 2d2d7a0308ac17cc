-- Bytes that belong to a study itself, where `attachments` holds those of its trials.
CREATE TABLE study_attachments (
    study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (study_id, name)
);
