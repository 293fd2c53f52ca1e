"""``make matrix``: write the published pages from the data, if nothing hangs in the air."""

import sys

from validation.orphans import orphans
from validation.pages import pages
from validation.requirements import DATA, regulations

__all__ = ["main"]


def main() -> int:
    """Write every page; answer 1 and say why where requirement, code and test are not tied."""
    found = orphans(regulations())
    for fault in found:
        print(fault, file=sys.stderr)
    for name, text in pages(regulations()).items():
        (DATA / name).write_text(text, encoding="utf-8")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
