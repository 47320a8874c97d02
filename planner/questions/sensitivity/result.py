"""A sensitivity study as it is told: tornado, flips, indices and text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...language import N_, _, n_, number, translated
from ...words import commas, figure_of, share_of
from ..study import COMPLETE, INSTANCE, Study, Table, Value

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from .study_file import StudyFile

PROVEN = 1e-6  # a relative gap up to this is rounding
ENDS = (N_("low"), N_("high"))  # of a change


@dataclass(frozen=True, repr=False)
class Sensitivity(Study):
    """What a sensitivity study found.

    study     what was asked
    instance  without any change but those that the study makes before it varies anything
    base      value of each metric without any change
    The frames are the tables of the same names, see HOLDS; those of other methods are empty.
    """

    COMMAND, MANIFEST, OF = "sensitivity", "sensitivity.json", "instance"
    HOLDS = (
        INSTANCE,
        Value("title", "of the study", "study.title"),
        Value("method", "`one-at-a-time`, `lhs` (Latin hypercube) or `sobol`", "study.method"),
        COMPLETE,
        Value("base", "each metric without any change"),
        Value("gap", "the largest gap of a sample: plans within it of the least cost may differ in all other metrics"),
        Table(
            "tornado",
            "One at a time: each change at its ends, and each metric there. Metrics are in the units of their names.",
            """
            change      | text   |        | what is varied
            metric      | text   |        | what is measured
            at_low      | number | metric | with the change at its low end; blank without a plan
            at_base     | number | metric | without any change
            at_high     | number | metric | with the change at its high end; blank without a plan
            swing       | number | metric | from the low to the high end
            swing_least | number | MUSD   | of the cost: the same at least, as the gaps of both solves allow
            swing_most  | number | MUSD   | the same at most
            elasticity  | number |        | relative change of the metric by the relative change of what is varied;
                blank where either has no size, or where the gaps leave open whether the cost rises or falls
            status_low  | text   |        | of the solve at the low end
            status_high | text   |        | of the solve at the high end
            """,
        ),
        Table(
            "flips",
            "One at a time: decisions that are otherwise at an end.",
            """
            change       | text   |         | what is varied
            end          | text   |         | `low` or `high`
            option       | text   |         | what is built there and not without the change, or the other way round
            modules_base | number | modules | without any change
            modules      | number | modules | at the end
            """,
        ),
        Table(
            "indices",
            "Samples: what each change weighs in each metric.",
            """
            change | text | | what is varied
            metric | text | | what is measured
            """,
            further="for `lhs` `rank_correlation` (Spearman's, -1 to 1); for `sobol` `first` and `total`, the shares "
            "of the variance of the first and of all orders, with `first_half_width` and `total_half_width` (95 %)",
        ),
        Table(
            "samples",
            "Every sample; the first is without any change.",
            """
            status | text   |       | of the solve
            gap    | number | share | how far the plan may be from the least cost; blank without a plan
            """,
            further="before it one for each change, its position from 0 (low) to 1 (high), blank without the change; "
            "after it one for each metric",
        ),
    )  # fmt: skip

    study: StudyFile
    instance: Instance
    base: Mapping[str, float]
    tornado: pd.DataFrame
    flips: pd.DataFrame
    samples: pd.DataFrame
    indices: pd.DataFrame
    complete: bool

    @property
    def gap(self) -> float:
        """The largest relative gap of a sample; 0 if none has a plan."""
        known = self.samples["gap"].dropna()
        return float(known.max()) if len(known) else 0.0

    def __str__(self) -> str:
        study = self.study
        lines = [study.title or _("{method} study of {instance}", method=study.method, instance=study.instance)]
        for metric in self.study.metrics:
            lines.append(_("{metric}: {value} as it is", metric=metric, value=_said(self.base[metric])))
            if self.study.method == "one-at-a-time":
                lines += self._bars(metric)
            elif len(self.indices):
                rows = self.indices[self.indices["metric"] == metric]
                key = "rank_correlation" if self.study.method == "lhs" else "total"
                for r in rows.sort_values(key, ascending=False, key=abs).to_dict("records"):
                    index = number(f"{r[key]:+.2f}")
                    if self.study.method == "lhs":
                        told = _("rank correlation {value}", value=index)
                    else:
                        told = _("total {value} (first {first})", value=index, first=number(f"{r['first']:.2f}"))
                    lines.append(f"  {r['change']:<40} {told}")
        if len(self.flips):
            lines.append(_("Decisions that flip:"))
            for (change, end), rows in self.flips.groupby(["change", "end"], sort=False):
                words = [f"{'+' if r.modules > r.modules_base else '-'}{r.option}" for r in rows.itertuples()]
                names = commas(words[:6])
                if len(words) > 6:
                    names = n_("{names} and {n} more", "{names} and {n} more", len(words) - 6, names=names)
                lines.append("  " + _("{change}, {end}: {names}", change=change, end=translated(end), names=names))
        if self.gap > PROVEN:
            note = _(
                "plans are within {share} of the least cost; what differs by less may be play of the searches, in all "
                "metrics",
                share=share_of(self.gap),
            )
            lines.append(_("Note: {note}", note=note))
        if not self.complete:
            lines.append(_("Interrupted: the samples solved so far."))
        return "\n".join(lines)

    def _bars(self, metric: str, width: int = 21) -> list[str]:
        rows = self.tornado[self.tornado["metric"] == metric]
        rows = rows.reindex(rows["swing"].abs().sort_values(ascending=False, na_position="last").index)
        ends = rows[["at_low", "at_high", "at_base"]].to_numpy().ravel()
        ends = [e for e in ends if e == e]
        low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
        lines = []
        for r in rows.itertuples():
            bar = [" "] * width
            if high > low and r.at_low == r.at_low and r.at_high == r.at_high:
                a, b = (round((x - low) / (high - low) * (width - 1)) for x in (r.at_low, r.at_high))
                for k in range(min(a, b), max(a, b) + 1):
                    bar[k] = "="
                bar[round((r.at_base - low) / (high - low) * (width - 1))] = "|"
            e = _("elasticity {value}", value=number(f"{r.elasticity:+.2f}")) if r.elasticity == r.elasticity else ""
            if r.swing_least < 0.0 < r.swing_most:
                e = _("within the gaps")
            e = f"  {e}" if e else ""
            lines.append(f"  {r.change:<34} {_said(r.at_low):>11} {''.join(bar)} {_said(r.at_high):<11}{e}")
        return lines


def _said(value: float) -> str:
    return _("no plan") if value != value else figure_of(value, 5)
