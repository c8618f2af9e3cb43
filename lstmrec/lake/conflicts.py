"""Two runs that write one table at one time: one wins whole, and the other says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# captured, not delta.exceptions: importing it makes PySpark raise Delta's exceptions as such
from delta.exceptions.captured import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)

from lstmrec.errors import WrittenMeanwhile
from lstmrec.lake.table import Table

_CONFLICTS: Final = (  # they have no base of their own
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,  # of two that make the table
    ProtocolChangedException,
)


@contextmanager
def one_wins(table: Table) -> Iterator[None]:
    """Let a write say in one line that another run's got in before it.

    Raises
    ------
    WrittenMeanwhile
        Nothing of this write is in the table.
    """
    try:
        yield
    except _CONFLICTS as error:
        kind = type(error).__name__
        raise WrittenMeanwhile(
            f"{table.name}: another run wrote to the same rows meanwhile, and won ({kind}); nothing of this "
            "run was written there: run the job again when the other has ended"
        ) from None
