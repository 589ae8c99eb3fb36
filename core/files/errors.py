"""What the file room refuses.

CityError
├── Invalid
│   ├── FileTooLarge      more bytes than a file may have
│   ├── FileTypeRefused   the content is no picture or PDF that we keep
│   └── PictureRefused    a picture that is broken, or too large once unpacked
├── NotFound              no such file, or not yours
└── Conflict
    └── FileDamaged       the stored bytes are not those that were stored
"""

from __future__ import annotations

from core.errors import Conflict, Invalid


class FileTooLarge(Invalid):
    code = "file_too_large"
    status = 413
    zh = "文件过大，最多 {most_bytes} 字节，请压缩后再上传"
    en = "The file is too large (at most {most_bytes} bytes); make it smaller and send it again"


class FileTypeRefused(Invalid):
    code = "file_type_refused"
    zh = "只接受 JPEG、PNG、WebP 图片或 PDF，文件类型按内容判断"
    en = "Only JPEG, PNG and WebP pictures and PDF are accepted; the content decides, not the name"


class PictureRefused(Invalid):
    code = "picture_refused"
    zh = "图片损坏、过大或过于狭长，请重新拍摄后上传"
    en = "The picture is damaged, has too many pixels or is too narrow; take it again"


class FileDamaged(Conflict):
    code = "file_damaged"
    zh = "文件内容与存入时不符，请联系管理员"
    en = "The file is not as it was stored; please tell the administrator"
