"""Names of columns and reserved values, shared by Spark, TensorFlow and numpy code."""

from typing import Final

PAD: Final = 0
"""Item index, event type index and gap bucket of a padded position; real indices start at 1."""

GAP_BUCKETS: Final = 26
"""Ids of the gap input: PAD, 1 for no previous event, then 2 + floor(log2(1 + seconds)), at most 25."""

# One event, from the raw log to the sessions
EVENT_KEY: Final = "event_key"
SITE: Final = "site"
EVENT_ID: Final = "event_id"
DEVICE_ID: Final = "device_id"
USER_ID: Final = "user_id"
SESSION_USER: Final = "session_user"
ITEM_ID: Final = "item_id"
EVENT_TYPE: Final = "event_type"
CREATED_TS: Final = "created_ts"
SENT_TS: Final = "sent_ts"
RECEIVED_TS: Final = "received_ts"
EVENT_TS: Final = "event_ts"
EVENT_DATE: Final = "event_date"
USER_AGENT: Final = "user_agent"
CLOCK: Final = "clock"
STATUS: Final = "status"
IS_BOT: Final = "is_bot"
WEIGHT: Final = "weight"
PAYLOAD_HASH: Final = "payload_hash"

# Rejected rows and books
PAYLOAD: Final = "payload"
REASON: Final = "reason"
ROW_HASH: Final = "row_hash"
IS_STORED: Final = "is_stored"
SOURCE_FILE: Final = "source_file"
RUN_ID: Final = "run_id"
RUN_DATE: Final = "run_date"
JOB: Final = "job"
OUTCOME: Final = "outcome"
N_ROWS: Final = "n_rows"

# Items and users
CATEGORIES: Final = "categories"
ATTRIBUTES: Final = "attributes"
VALID_FROM: Final = "valid_from"
VALID_TO: Final = "valid_to"

# Sessions
SESSION_ID: Final = "session_id"
SESSION_DATE: Final = "session_date"
STITCHED_USER_ID: Final = "stitched_user_id"
OPENED_TS: Final = "opened_ts"
PART: Final = "part"
START_TS: Final = "start_ts"
END_TS: Final = "end_ts"
N_EVENTS: Final = "n_events"
N_ITEMS: Final = "n_items"
ITEM_IDS: Final = "item_ids"
EVENT_TYPES: Final = "event_types"
EVENT_TIMES: Final = "event_times"

# Model input
ITEM_INDEX: Final = "item_index"
SPLIT: Final = "split"
SEQUENCE_ID: Final = "sequence_id"
WINDOW: Final = "window"
ITEMS: Final = "items"
TYPES: Final = "types"
GAPS: Final = "gaps"
LENGTH: Final = "length"
PADDED_LENGTH: Final = "padded_length"
TARGET: Final = "target"
SEEN: Final = "seen"

# Model output
MODEL_VERSION: Final = "model_version"
RANK: Final = "rank"
RANKS: Final = "ranks"
LISTS: Final = "lists"
SLICE: Final = "slice"
SLICES: Final = "slices"
SCORE: Final = "score"
SOURCE: Final = "source"
SEGMENT: Final = "segment"
REASON_CODE: Final = "reason_code"
REASON_ITEM_IDS: Final = "reason_item_ids"
PROPENSITY: Final = "propensity"
RULESET_VERSION: Final = "ruleset_version"
