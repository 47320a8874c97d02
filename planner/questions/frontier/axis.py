"""The dependence metric of a frontier: its name, the years in which it is limited, and the caps that limit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import InstanceError, UsageError, hinted
from ...instance.metrics import METRICS

if TYPE_CHECKING:
    from ...instance.instance import Instance

# the share of the largest suppliers is known exactly only where a cap on it binds
KINDS = (*(name for name, metric in METRICS.items() if "largest" not in metric.columns), "unserved")


@dataclass(frozen=True)
class Axis:
    """The dependence metric that the curve limits; the limit is the same in all years in which it holds.

    name   ``exposed_share``, ``stage_share:STAGE``, ``single_country_share:STAGE``, ``import_share:STAGE:COUNTRY``,
           ``own_share:STAGE:COUNTRY``, the same with ``:recycled`` behind it, ``impact:NAME`` or ``unserved``; a
           material may take the place of a stage, and a bloc that of a country
    first  first calendar year in which the limit holds; None: every year
    scale  of an impact: units a year that are 1 in the search, the most that any plan can cause in a year
    glide  whether the limit falls linearly, from the metric in the first year of the least-cost plan to the limit of
           the point in ``first``, and stays there

    More own production is less dependence, so its limit is a floor. The search for points counts what is lacking of the
    whole instead, 1 less the share: the least lack is then the tightest limit, as with all other metrics.
    """

    name: str
    first: int | None = None
    glide: bool = False
    scale: float = 1.0

    @property
    def family(self) -> str:
        """The name of the metric without its stage or material."""
        return self.name.partition(":")[0]

    @property
    def floor(self) -> bool:
        """Whether the limit is a floor."""
        return self.family in METRICS and METRICS[self.family].own

    def shown(self, limit: float) -> float:
        """Return a limit or share of the search as one of the metric."""
        return 1.0 - limit if self.floor else limit * self.scale

    def sought(self, limit: float) -> float:
        """Return a limit or share of the metric as one of the search."""
        return 1.0 - limit if self.floor else limit / self.scale

    @property
    def amount(self) -> bool:
        """Whether the metric is no share, but an amount of units a year."""
        return self.family in METRICS and METRICS[self.family].amount

    def check(self, instance: Instance) -> None:
        """Raise UsageError if the instance has no such metric or years."""
        kind, *of = self.name.split(":")
        if kind not in KINDS:
            raise UsageError(hinted(f"metric {kind}: expected one of {', '.join(KINDS)}", kind, KINDS))
        if self.first is not None and self.first > instance.years[-1]:
            raise UsageError(
                f"from year {self.first}: expected a year up to {instance.years[-1]}, the last period's first"
            )
        if self.glide and (self.first is None or self.first <= instance.years[0] or kind == "unserved"):
            raise UsageError(f"a glide needs a share and a year after {instance.years[0]} in which it ends")
        if kind == "impact":
            impacts = [i.impact for i in instance.impacts]
            if len(of) != 1 or of[0] not in impacts:
                expected = f"impact: and one of {', '.join(impacts) or 'the impacts of impacts.csv; there are none'}"
                raise UsageError(hinted(f"metric {self.name}: expected {expected}", ":".join(of), impacts))
            return
        if kind == "unserved" or not METRICS[kind].of:
            if of:
                raise UsageError(f"metric {self.name}: {kind} is of the whole chain; leave :{':'.join(of)} out")
            return
        known = [*instance.stages, *sorted(m.material for m in instance.materials)]
        needs = METRICS[kind].needs
        expected = f"{kind}: and a stage ({', '.join(instance.stages)}) or material"
        expected += ", then : and a country or bloc" if needs else ""
        expected += ", and :recycled if only that counts" if "recycled" in METRICS[kind].columns else ""
        item, place, rest = [*of, "", "", ""][:3]
        if item not in known:
            raise UsageError(hinted(f"metric {self.name}: expected {expected}", item, known))
        places = sorted({c.country for c in instance.countries} | {c.bloc for c in instance.countries if c.bloc})
        if needs and place not in places:
            raise UsageError(hinted(f"metric {self.name}: expected {expected}", place, places))
        last = ("", "recycled") if "recycled" in METRICS[kind].columns else ("",)
        if len(of) > 3 or rest not in last or (place and not needs):
            raise UsageError(f"metric {self.name}: expected {expected}")

    def capped(self, instance: Instance, limit: float, today: float) -> tuple[Instance, set[str]]:
        """Return the instance with the limit added as caps, and the names of these caps.

        limit  share, 0 to 1, as the search counts it
        today  share from which a glide begins, 0 to 1, likewise; not used without a glide

        For ``unserved``, which no cap can limit, the instance is returned as it is. Raises UsageError if the metric
        cannot be limited in the instance.
        """
        if self.family == "unserved":
            return instance, set()
        item, place, rest = [*self.name.split(":"), "", "", ""][1:4]
        row: dict[str, Any] = {"metric": self.family, "limit": self.shown(limit)}
        if self.amount:
            row["impact"] = item
        elif item:
            row["stage" if item in instance.stages else "material"] = item
        if place:
            row["country"] = place
        if rest:
            row["recycled"] = True
        if self.floor:
            row["sense"] = "min"
        rows: list[Mapping[str, Any]] = []
        if self.glide:
            assert self.first is not None
            ends = {"limit": self.shown(today), "limit_end": row["limit"]}
            first = {"first_year": instance.years[0], "last_year": self.first}
            rows.append({**row, **first, **ends, "cap": _free_name(instance, "glide")})
            if instance.years[-1] > self.first:
                rows.append({**row, "cap": _free_name(instance, "frontier"), "first_year": self.first + 1})
        else:
            rows.append({**row, "cap": _free_name(instance, "frontier"), **_from(self.first)})
        try:
            return instance.with_rows("caps", *rows), {str(r["cap"]) for r in rows}
        except InstanceError as error:
            raise UsageError(f"metric {self.name} cannot be limited in this instance\n{error}") from error


def _from(first: int | None) -> dict[str, int]:
    """Return the cell of a cap that gives its first year; an empty dictionary leaves the cell blank."""
    return {} if first is None else {"first_year": first}


def _free_name(instance: Instance, name: str) -> str:
    """Return a name that no cap of the instance has: ``name``, with underscores if need be."""
    while any(cap.cap == name for cap in instance.caps):
        name += "_"
    return name
