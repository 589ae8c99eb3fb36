"""Files of residents: sealed, size-limited, pictures drawn anew; `app.py` calls `install` with their folder."""

from core.files import jobs
from core.files.content import MOST_BYTES, MediaType
from core.files.keeping import Content, Purpose, delete, install, own, read, store, store_own, sweep
from core.files.personal import FileData

__all__ = [
    "MOST_BYTES",
    "Content",
    "FileData",
    "MediaType",
    "Purpose",
    "delete",
    "install",
    "jobs",
    "own",
    "read",
    "store",
    "store_own",
    "sweep",
]
