"""Names that files and links take."""

import re
import unicodedata
import zlib


def slug(text: str) -> str:
    """Letters, digits and bars only, the same every time.

    Texts that differ in more than the case of letters get different names.

    Example:
        >>> slug("MA-FSAR"), slug("MA FSAR")
        ('ma-fsar', 'ma_fsar-e49e')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    kept = re.sub(r"[^a-z0-9-]+", "_", plain).strip("_")[:60]
    # What was lost is told apart by a few digits of the whole.
    return kept if kept == text.lower() else f"{kept}-{zlib.crc32(text.encode()) & 0xFFFF:04x}"
