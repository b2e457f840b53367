"""Names of the columns that staged rows carry beside the canonical ones."""

from typing import Final

FILE, ORDER, REFUSED = "_file", "_order", "_refused"
RECORD: Final = "_record"  # whether a row of the file is a record of this table
WHO: Final = "_who"  # the number of a person, by the identifier as written
LEAK: Final = "_leak"  # of levels: a leak that one cell tells of several of them
RULE, WHY = "rule ", "why "  # prefixes of the companions of a column
