"""The closed word lists: treatments, and what each word means to a reader."""

from typing import Final

TREATMENTS: Final[dict[str, str]] = {
    "VP": "vertebroplasty",
    "KP": "balloon kyphoplasty",
    "VAI": "vertebral implant or stent",
    "NSM": "non-surgical management",
    "SHAM": "sham procedure",
    "FACET": "facet joint injection",
    "VA": "augmentation, type not split",
}
