"""The clean premium: the price of clean material less that of exposed material, by material, country and year."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ...language import _
from ...prepare import CLEAN, EXPOSED
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

    from ...runs.run import Run


def premiums(run: Run) -> pd.DataFrame:
    """Return the table ``premiums`` of `Explanation`, from prices.csv of the run.

    The premium is blank, with a note, if one of the two has no price. There is no row if neither has a price.
    """
    import pandas as pd

    prices: dict[tuple[str, str, int], dict[str, float]] = defaultdict(dict)
    for r in run.tables["prices"].dropna(subset="usd_per_t").itertuples():
        prices[r.material, r.country, int(r.year)][r.provenance] = float(r.usd_per_t) / 1e3
    rows = []
    for key, of in sorted(prices.items()):
        clean, exposed = of.get(CLEAN), of.get(EXPOSED)
        premium = None if clean is None or exposed is None else clean - exposed
        note = _("no clean price: none passes there") if clean is None else ""
        note = _("no exposed price: none passes there") if exposed is None else note
        rows.append((*key, clean, exposed, premium, note))
    frame = pd.DataFrame(rows, columns=Explanation.columns("premiums"))
    return frame.astype({name: "float64" for name in frame if name.endswith("usd_per_kg")})
