"""The formats of images, documents, video and sound that the Converse API names.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html,
2026-11.
"""

from collections.abc import Mapping
from types import MappingProxyType

_OPEN_XML = "application/vnd.openxmlformats-officedocument"

# By media type.
IMAGE_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "image/png": "png",
        "image/jpeg": "jpeg",
        "image/jpg": "jpeg",
        "image/gif": "gif",
        "image/webp": "webp",
    }
)
DOCUMENT_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "application/pdf": "pdf",
        "text/csv": "csv",
        "application/msword": "doc",
        f"{_OPEN_XML}.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        f"{_OPEN_XML}.spreadsheetml.sheet": "xlsx",
        "text/html": "html",
        "text/plain": "txt",
        "text/markdown": "md",
    }
)
VIDEO_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "video/x-matroska": "mkv",
        "video/quicktime": "mov",
        "video/mp4": "mp4",
        "video/webm": "webm",
        "video/x-flv": "flv",
        "video/mpeg": "mpeg",
        "video/x-ms-wmv": "wmv",
        "video/3gpp": "three_gp",
    }
)
# As OpenAI names them in a part, and the API as well.
AUDIO_FORMATS = frozenset({"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "m4a", "webm", "pcm"})
