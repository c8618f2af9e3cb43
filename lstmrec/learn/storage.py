"""Files named by URI or path, on whatever store Arrow knows: local, hdfs, s3, gs."""

import re
from pathlib import Path

import pyarrow.fs as pafs
from pyarrow.lib import ArrowException

from lstmrec.errors import BadInput

_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]+:")


def absolute(uri: str) -> str:
    """The same place, named so that it does not depend on the working folder."""
    return uri if _SCHEME.match(uri) else str(Path(uri).absolute())


def open_store(uri: str) -> tuple[pafs.FileSystem, str]:
    """The file system that `uri` names and the path within it. A path without a scheme is local."""
    if not _SCHEME.match(uri):
        return pafs.LocalFileSystem(), absolute(uri)
    try:
        # Hadoop writes file:/a where Arrow wants file:///a
        store, path = pafs.FileSystem.from_uri(re.sub(r"^file:/(?!/)", "file:///", uri))
    except (ArrowException, OSError, ValueError) as error:
        raise BadInput(
            f"{uri}: cannot be opened ({' '.join(str(error).split())}); give a path or a URI"
        ) from None
    return store, path


def beside(uri: str, folder: str) -> str:
    """The name of `uri` within a folder next to it: that of /a/m1 beside `logs` is /a/logs/m1."""
    parent, _, name = uri.rstrip("/").rpartition("/")
    return f"{parent}/{folder}/{name}"


def child(path: str, name: str) -> str:
    """The path of `name` in the folder `path`."""
    return f"{path.rstrip('/')}/{name}"
