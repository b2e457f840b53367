"""Fail when the share of branches covered falls below a floor: branch_floor.py COVERAGE_JSON PERCENT."""

import json
import sys
from pathlib import Path

totals = json.loads(Path(sys.argv[1]).read_text())["totals"]
floor = float(sys.argv[2])
share = 100 * totals["covered_branches"] / totals["num_branches"]
print(f"branches covered: {share:.1f} % (floor {floor:.0f} %)")
sys.exit(share < floor)
