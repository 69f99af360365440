"""The tables of an archive's messages, in a SQLite file beside that of its sources."""

from __future__ import annotations

from boildown.archive.database import Database

FILE = "memory.db"
_TABLES = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY, user INTEGER NOT NULL, name TEXT NOT NULL, topic TEXT NOT NULL, UNIQUE (user, name))""",
    "CREATE TABLE sources (id INTEGER PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (hash, name))",
    # A session that grew came in several files, of which a message names the first. Who is to be forgotten is in all.
    """CREATE TABLE origins (
        session INTEGER NOT NULL, source INTEGER NOT NULL, PRIMARY KEY (session, source)) WITHOUT ROWID""",
    # `key` is what a message is told by: a hash of all that it says, and which of its equals in the session it is.
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY, session INTEGER NOT NULL, place INTEGER NOT NULL, key BLOB NOT NULL,
        source INTEGER NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, moment REAL, time TEXT NOT NULL,
        called TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (session, key))""",
    "CREATE INDEX seats ON messages (session, place)",
    # Whose a message is stands in the index itself, as words that no text has a say in: a filter is an intersection.
    """CREATE VIRTUAL TABLE words USING fts5(
        speaker, text, parts, session, user, role, tokenize = 'porter unicode61 remove_diacritics 2')""",
    "CREATE TABLE embedders (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE vectors (
        embedder INTEGER NOT NULL, message INTEGER NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (embedder, message)) WITHOUT ROWID""",
)
MESSAGES = Database(
    FILE,
    application=int.from_bytes(b"boim"),
    schema=1,
    tables=_TABLES,
    missing=(
        f"there are no messages to recall ({FILE} is missing). "
        "Put some in with 'boildown archive FILE --archive DIR', or name the directory that has them."
    ),
)
