"""A notebook as a script: the tables of the lake, and the ready questions."""

# %% [markdown]
# # Look into the lake
#
# Open this file as a notebook in VS Code or PyCharm (each `# %%` is a cell), or run it:
#
#     .venv-analyst/bin/python docs/analysts/start.py var/lake

# %%
import sys

from lake import QUERIES, ask, open_lake

db = open_lake(sys.argv[1] if sys.argv[1:] else "var/lake")

# %% Which tables are there? docs/tables.md says what each column means
print(db.sql("SELECT table_name FROM information_schema.tables ORDER BY table_name"))

# %% The ready questions, each a file of queries/
for path in sorted(QUERIES.glob("*.sql")):
    print(path.read_text().splitlines()[0])
    print(ask(db, path.stem))

# %% A question of one's own: the lists of one user, newest first
print(
    db.sql("""
    SELECT r.run_date, r.rank, coalesce(i.title, r.item_id) AS item, r.source
    FROM recommendations r LEFT JOIN items i ON i.item_id = r.item_id AND i.valid_to IS NULL
    WHERE r.user_id = (SELECT min(user_id) FROM recommendations)
    ORDER BY r.run_date DESC, r.rank
    """)
)
