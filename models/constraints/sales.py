r"""Sales: a buyer is sold at least what is agreed, and at most what it buys.

.. math::
    \mathit{min}_k \le \sum_q \mathit{sell}_{kq} \le \mathit{max}_k
    \qquad \forall (k, t) \quad \text{(sale_least, sale_most)}

==============  ======================  =======  =====================================================
symbol          code                    unit     comes from
==============  ======================  =======  =====================================================
sell            ``limit.sell``          kt/yr    ``m.sell``, decided: clean and exposed; clean alone if the
                                                 buyer is ``clean_only``
min             ``limit.least``         kt/yr    buyer_prices.csv ``min_t``; 0 where something is disrupted
max             ``limit.most``          kt/yr    buyer_prices.csv ``max_t``; None: no limit, no row
==============  ======================  =======  =====================================================

What is sold leaves the pool of the buyer's country (see balance), and earns its price (see the objective).
``m.nothing``, always 0, stands in the rows of least amounts in case that nothing can reach the buyer.

Row: one per buyer and node with a ``min``, one per buyer and node with a ``max``. ``data.sale_limit`` is filled by
prepare/sales.py.

Dual, MUSD per kt/yr: of ``sale_most``, 0 or less, minus the dual is what selling one kt/yr more would earn; that of
``sale_least``, 0 or more, is what one kt/yr less to be sold would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.sale_least[i]`` and ``m.sale_most[i]``; entry ``i`` of ``data.sale_limit`` names buyer and node."""
    limits = data.sale_limit

    def least(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.sell, limits[i].sell).add(m.nothing, (0,)) >= limits[i].least

    def most(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.sell, limits[i].sell) <= limits[i].most

    agreed = [i for i, limit in enumerate(limits) if limit.least > 0.0]
    limited = [i for i, limit in enumerate(limits) if limit.most is not None and limit.sell]
    m.sale_least = Constraint(agreed, rule=least, doc="what must be sold")
    m.sale_most = Constraint(limited, rule=most, doc="what a buyer buys")
