from pathlib import Path

from lstmrec.lake.data_files import data_files
from lstmrec.lake.store import Lake
from tests.lake.things import FRIDAY, SATURDAY, THINGS, Thing, things

ANN: Thing = (FRIDAY, "r1", "ann", 1, "first")
CAT: Thing = (SATURDAY, "r3", "cat", 3, None)


def test_the_data_files_of_a_partition_hold_exactly_its_rows(lake: Lake) -> None:
    saturdays: list[Thing] = [(SATURDAY, "r", f"thing-{n}", 1, None) for n in range(5)]
    lake.append(THINGS, things(lake.spark, *saturdays, ANN).repartition(3, "name"))
    lake.read(THINGS)
    Lake(lake.spark, lake.root, {}).append(THINGS, things(lake.spark, CAT))  # later: not of this version

    files = data_files(lake, THINGS, f"run_date = DATE'{SATURDAY}'")
    written = Path(lake.path(THINGS), f"run_date={SATURDAY}").glob("*.parquet")
    assert {Path(file.uri).name for file in files} < {path.name for path in written}
    assert {tuple(file.partition.items()) for file in files} == {(("run_date", SATURDAY),)}
    by_parquet = lake.spark.read.parquet(*(file.uri for file in files))
    assert {row["name"] for row in by_parquet.collect()} == {name for _, _, name, _, _ in saturdays}
    assert sum(file.n_rows for file in files) == len(saturdays)
    assert data_files(lake, THINGS, "run_date = DATE'2020-01-01'") == []
