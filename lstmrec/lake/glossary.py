"""What every column means, for those who query: the comments of the tables, and docs/tables.md."""

from typing import Final

from pyspark.sql.types import StructField, StructType

from lstmrec import columns as c
from lstmrec.lake.table import Table, explained

_MEANINGS: Final = {
    # events
    c.EVENT_KEY: "the event's own id where it has one, else a hash of its content",
    c.SITE: "which shop or site the log is of",
    c.SESSION_USER: "whose sessions are cut: the device, or the user where there is no device",
    c.ITEM_ID: "the item, as the log and the catalogue name it",
    c.EVENT_TYPE: "our name of what was done: view, cart, buy, ...",
    c.EVENT_TS: "when it happened, by the most trustworthy of three clocks",
    c.RECEIVED_TS: "when the collector received it",
    c.CLOCK: "whose clock event_ts is by; ahead: the collector's, as the device's was ahead of it",
    c.STATUS: "accepted; or late, received too long after it happened and in no session",
    c.IS_BOT: "whether it is no person's: such rows neither train nor get lists",
    c.WEIGHT: "how much an event of the type counts for popularity",
    c.PAYLOAD_HASH: "hash of the content; settles which of two copies is kept",
    c.EVENT_DATE: "UTC date of event_ts",
    c.EVENT_ID: "the producer's id, where the log has one",
    c.DEVICE_ID: "the device or browser, where the log tells",
    "events.user_id": "the account, where the user was logged in",
    c.CREATED_TS: "the device's clock at the event",
    c.SENT_TS: "the device's clock at sending",
    c.USER_AGENT: "the browser, as it names itself",
    # what was rejected, and the books
    c.ROW_HASH: "hash of the rejected row; by it corrections find it",
    c.REASON: "why it was rejected; README lists the reasons",
    c.PAYLOAD: "the whole rejected row",
    c.SOURCE_FILE: "the file that it came in",
    "catalogue_quarantine.source": "items or users: which file it is of",
    c.JOB: "the job that wrote it",
    "path": "the file, below the folder of the log",
    "size_bytes": "its size; a file that grew is another file",
    c.RUN_ID: "the run; a rerun of the same date has the same",
    c.RUN_DATE: "last UTC day whose log is included",
    "events_version": "version of events before the run wrote",
    c.OUTCOME: "what became of the rows; rows_in is the sum of all others",
    c.N_ROWS: "how many rows",
    # catalogue
    c.ATTRIBUTES: "all other fields of the file, as texts",
    "title": "what people call it",
    c.CATEGORIES: "the categories it is in",
    c.VALID_FROM: "first day that this holds",
    c.VALID_TO: "first day that it no longer holds; null: it still does",
    "rule": "hidden and unavailable: in no list; promoted: may take promoted places",
    "note": "why, in words",
    # sessions
    c.SESSION_ID: "hash of site, session_user, opened_ts and part",
    c.OPENED_TS: "when the session began, of all its parts",
    c.PART: "1; 2, 3, ... where a session was over the caps and goes on",
    c.START_TS: "its first event",
    c.END_TS: "its last event",
    c.N_EVENTS: "how many events",
    c.ITEM_IDS: "its events' items, in order",
    c.EVENT_TYPES: "their types, in the same order",
    c.EVENT_TIMES: "their times, in the same order",
    c.SESSION_DATE: "UTC date of start_ts",
    c.STITCHED_USER_ID: "the account that was logged in during the session, if any was",
    # what the model learns from
    c.ITEM_INDEX: "the item's number, from 1 on; never changes its meaning",
    "added_on": "run date that first saw it",
    c.SPLIT: "train, validation, test, ...: what the row is for",
    c.SEQUENCE_ID: "the user, or the session where histories are sessions",
    c.USER_ID: "the account, or the device of a user who never logged in",
    c.WINDOW: "0, 1, ...: pieces of a history longer than a row",
    c.ITEMS: "item_index of each event, oldest first, then 0 as padding",
    c.TYPES: "number of each event's type, in the same order",
    c.GAPS: "class of the pause before each event, in the same order",
    c.LENGTH: "how many events are no padding",
    c.TARGET: "item_index of the item to be foreseen; 0: none",
    c.SEEN: "item_index of all that the user had: not to be offered",
    c.PADDED_LENGTH: "length of the arrays",
    # models
    c.MODEL_VERSION: "the model",
    "stage": "candidate, current (serves from its run date on) or retired",
    "artifact": "where the trained model lies",
    "model_runs.n_rows": "rows of sequences in the split train",
    "model_runs.seconds": "how long the training took",
    "code_version": "version of lstmrec that trained it",
    "config": "the configuration, as JSON",
    "table_versions": "table -> the Delta version that was read",
    "n_items": "items that the model knows: those with item_index up to this",
    "index_fingerprint": "hash of that part of item_index",
    "processes": "Horovod ranks that trained it",
    "best_epoch": "the epoch whose weights were best by validation",
    "metrics": "its figures by validation",
    # lists
    c.RANK: "place in the list, from 1 on",
    c.SCORE: "comparable within a list and source only",
    c.SOURCE: "who proposed the item: model, segment, popular, explore, promoted",
    c.REASON_CODE: "why: like_your_history, popular_in_segment, popular, explored, promoted",
    c.REASON_ITEM_IDS: "those items of the user's history that are nearest to it",
    c.PROPENSITY: "probability that the list got the item; below 1 where it was drawn by chance",
    c.RULESET_VERSION: "the rules, as in rulesets",
    "scored_at": "from when on the list holds: the end of its run date",
    "expires_at": "from when on it is not to be shown",
    "rules": "configuration and item_rules that lists were made by, as JSON",
    "first_run_date": "run date that first used them",
    "is_published": "whether the lists passed the gate",
    "recommendation_runs.n_users": "users with a list",
    "recommendation_runs.n_rows": "places of all lists",
    "recommendation_runs.code_version": "version of lstmrec that made the lists",
    "recommendation_runs.config": "its sections scoring and gate, and the event weights, as JSON",
    "recommendation_runs.seconds": "how long the lists took to make and to judge",
    "rows_by_source": "places by source",
    "verdicts": "each rule of the gate: what was found, its limit, whether it holds",
}
"""Column -> what it means; `table.column` where it means something else in one table."""


def meaning(table: Table, field: StructField) -> str:
    """What a column of `table` means: by its own comment, else by the glossary."""
    own = field.metadata.get("comment") or _MEANINGS.get(f"{table.name}.{field.name}")
    return own or _MEANINGS[field.name]


def commented(table: Table) -> StructType:
    """The table's schema with a comment at each column, which DESCRIBE TABLE shows."""
    return explained(table.schema, {field.name: meaning(table, field) for field in table.schema})


def names() -> set[str]:
    """All entries of the glossary."""
    return set(_MEANINGS)
