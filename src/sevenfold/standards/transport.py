"""SAS transport files (XPT, versions 5 and 8), the format of submissions; read by ReadStat."""

from pathlib import Path

import polars as pl

from sevenfold.errors import InvalidInput

__all__ = ["read_transport"]


def read_transport(path: Path, encoding: str = "utf-8") -> pl.DataFrame:
    """The table of a transport file; SAS dates and times come as dates and times.

    Raises:
        InvalidInput: it is no transport file, or its text is in another encoding.
        OSError: it cannot be opened.
    """
    from pyreadstat import PyreadstatError, ReadstatError, read_xport

    with path.open("rb"):
        pass
    try:
        frame, _ = read_xport(str(path), encoding=encoding.upper(), output_format="polars")
    except (PyreadstatError, ReadstatError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read as a SAS transport file ({error}); if its text is not {encoding}, name its "
            "encoding in the mapping, such as 'encoding: windows-1252'."
        ) from None
    return pl.DataFrame(frame)
