"""Every pooled number in the literature sheets: recomputed where the sheets hold its studies."""

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.loaders.reviews.review_folder import literature_review, review_ids
from vertebro_outcomes.meta_analysis.reproduce import reproduce
from vertebro_outcomes.results.reproduction import Reproduction


def reproduce_literature(literature: Literature) -> Reproduction:
    """A row for every row of `pooled_published`, in its order, with a verdict and a reason.

    Rows whose study-level inputs are not in the sheets are `not_checkable` and say what is missing, so
    that a reviewer sees what to extract next. `review_id` and `source_line` say which row it is.
    """
    rows = literature.printed["pooled_published"]
    frames = []
    for review_id in review_ids(literature):
        frame = reproduce(literature_review(literature, review_id)).rows
        mine = rows.loc[rows["review_id"] == review_id, "source_line"]
        frames.append(frame.assign(review_id=review_id, source_line=mine.tolist()))
    whole = pd.concat(frames, ignore_index=True)
    place = {line: i for i, line in enumerate(rows["source_line"])}
    whole = whole.sort_values("source_line", key=lambda lines: lines.map(place), kind="stable")
    return Reproduction("literature", "literature", whole.reset_index(drop=True))
