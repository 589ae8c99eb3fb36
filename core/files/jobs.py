"""Work on files that comes again by itself."""

from __future__ import annotations

import datetime as dt

from core import db, files, jobs


@jobs.every("core:files:sweep", daily_at=dt.time(3, 40))
def sweep_files() -> None:
    """Remove the bytes of deleted files and of uploads that were rolled back."""
    with db.transaction():
        files.sweep()
