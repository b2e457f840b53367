"""Speed of the package as ratios against peers, measured in the same run."""
