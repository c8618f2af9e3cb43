from lstmrec.rank.candidates import PROMOTED, nothing, put_in
from lstmrec.rank.slate import NONE


def test_added_candidates_come_right_before_their_places() -> None:
    made, added = nothing(2, 4), nothing(2, 2)
    made.items[:] = [[1, 2, 3, 4], [5, 6, 7, 8]]
    added.items[:] = [[11, 12], [13, NONE]]
    added.sources[:] = PROMOTED
    both = put_in(made, added, [1, 3])
    assert both.items.tolist() == [[1, 11, 2, 3, 12, 4], [5, 13, 6, 7, NONE, 8]]
    assert (both.sources == PROMOTED).tolist() == [[False, True, False, False, True, False]] * 2


def test_several_added_before_one_place_keep_their_order() -> None:
    made, added = nothing(1, 2), nothing(1, 2)
    made.items[:], added.items[:] = [[1, 2]], [[8, 9]]
    assert put_in(made, added, [1, 1]).items.tolist() == [[1, 8, 9, 2]]
