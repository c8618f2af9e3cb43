import numpy as np

from lstmrec.rank.scorers import HistoryBlock, LastItemNeighbours, Popularity


def histories(*rows: list[int]) -> HistoryBlock:
    """Item indices padded with 0; types are 10 and gaps 20 more than the item, so that swaps show."""
    longest = max(len(row) for row in rows)
    items = np.array([row + [0] * (longest - len(row)) for row in rows], np.int32)
    length = np.array([len(row) for row in rows], np.int32)
    return HistoryBlock(items, items + 10, items + 20, length)


# 1 -> 2 (weight 5), 3 (weight 1); 2 -> nothing; 3 -> 1 (weight 4)
NEIGHBOURS = LastItemNeighbours(
    starts=np.array([0, 0, 2, 2, 3]),
    neighbours=np.array([2, 3, 1], np.int32),
    weights=np.array([5, 1, 4], np.float32),
    n_items=3,
)


def test_the_last_item_is_the_one_before_the_padding() -> None:
    assert histories([4, 7, 5], [9], [2, 3]).last_items.tolist() == [5, 9, 3]


def test_a_choice_of_histories_keeps_their_columns_together() -> None:
    chosen = histories([4, 7], [9], [2, 3]).take(np.array([False, True, True]))
    assert chosen.items.tolist() == [[9, 0], [2, 3]]
    assert chosen.types.tolist() == [[19, 10], [12, 13]]
    assert chosen.gaps.tolist() == [[29, 20], [22, 23]]
    assert chosen.length.tolist() == [1, 2]


def test_popularity_scores_items_alike_for_everybody() -> None:
    counts = np.array([0, 3, 8], np.float32)
    assert Popularity(counts).scores(histories([1], [2, 1])).tolist() == [[0, 3, 8], [0, 3, 8]]


def test_changing_the_scores_of_popularity_changes_no_later_ones() -> None:
    scorer = Popularity(np.array([0, 3], np.float32))
    scorer.scores(histories([1]))[0, 1] = -np.inf
    assert scorer.scores(histories([1])).tolist() == [[0, 3]]


def test_neighbours_score_by_their_weight_and_all_other_items_nothing() -> None:
    scores = NEIGHBOURS.scores(histories([3, 1], [1, 3], [1, 2]))
    assert scores.tolist() == [[0, 0, 5, 1], [0, 4, 0, 0], [0, 0, 0, 0]]
    assert scores.dtype == np.float32


def test_no_histories_have_no_scores() -> None:
    nothing = np.zeros((0, 2), np.int32)
    block = HistoryBlock(nothing, nothing, nothing, np.zeros(0, np.int32))
    assert NEIGHBOURS.scores(block).shape == (0, 4)
    assert Popularity(np.zeros(4, np.float32)).scores(block).shape == (0, 4)
