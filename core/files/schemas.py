"""What comes in and goes out with files."""

from __future__ import annotations

import marshmallow as ma

from core.fields import Count, Id, Moment, OneOf, Schema
from core.files.content import MediaType
from core.files.keeping import Purpose


class FileQuery(Schema):
    """What the file is for."""

    purpose = OneOf(*Purpose, required=True)


class FileOut(Schema):
    """A file that is kept; `size` is in bytes, after a picture was drawn anew."""

    id = Id("file", required=True)
    media_type = OneOf(*MediaType, required=True)
    size = Count(required=True)
    purpose = ma.fields.String(required=True)
    created_at = Moment(required=True)
