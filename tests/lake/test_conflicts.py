"""Two writers of one day at the same time: one day is left, whole, and the other writer is told."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
from pyspark.sql import DataFrame

from lstmrec.errors import WrittenMeanwhile
from lstmrec.lake.store import Lake
from tests.lake.things import FRIDAY, SATURDAY, THINGS, Thing, stored, things

SECONDS = 3


def slowly(rows: DataFrame) -> DataFrame:
    """The same rows, after a while: both writers have begun when the first ends."""

    def wait(chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        time.sleep(SECONDS)
        yield from chunks

    return rows.mapInPandas(wait, rows.schema)


def test_of_two_runs_of_one_day_one_wins_whole_and_the_other_says_so(lake: Lake) -> None:
    before: Thing = (FRIDAY, "r0", "kept", 1, None)
    lake.append(THINGS, things(lake.spark, before))
    days: dict[str, list[Thing]] = {
        run: [(SATURDAY, run, f"thing-{n}", n + 1, None) for n in range(4)] for run in ("r1", "r2")
    }

    def write(run: str) -> str | None:
        own = Lake(lake.spark, lake.root, {})
        try:
            own.replace_date(THINGS, slowly(things(lake.spark, *days[run])), SATURDAY)
        except WrittenMeanwhile as told:
            return str(told)
        return None

    with ThreadPoolExecutor(2) as pool:
        told = dict(zip(days, pool.map(write, days), strict=True))
    (winner,) = (run for run, message in told.items() if message is None)
    (message,) = filter(None, told.values())
    assert stored(lake) == {before, *days[winner]}
    assert message.startswith("things: another run wrote to the same rows meanwhile, and won (Concurrent")
    assert message.endswith("run the job again when the other has ended")
