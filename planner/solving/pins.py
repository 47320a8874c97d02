"""Pins: builds that a user fixes, forces or forbids in a solve, to compare such a plan with the best one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, did_you_mean
from ..instance.loading import given_instance
from ..language import _
from ..models.data import PLAN
from ..runs.run import given_run
from ..words import commas

if TYPE_CHECKING:
    from pathlib import Path

    from ..instance.instance import Instance
    from ..models.data import ModelData
    from ..runs.run import Run
    from .solver import Arrays

_NOTHING = 1e-9  # modules


@dataclass(frozen=True)
class Pins:
    """Builds that are fixed, forced or forbidden.

    fixed   (option, start year) -> modules started, exactly
    force   (option, start year) -> least number of modules started
    forbid  options that are not built at all
    """

    fixed: Mapping[tuple[str, int], float] = field(default_factory=dict)
    force: Mapping[tuple[str, int], float] = field(default_factory=dict)
    forbid: Collection[str] = ()

    @classmethod
    def of(
        cls,
        instance: Instance | str | Path,
        run: Run | str | Path,
        options: Collection[str] | None = None,
        years: tuple[int, int] | None = None,
    ) -> Pins:
        """Fix the builds as they are in a run, those that it does not build at 0.

        options  only these; None: all of the instance
        years    only starts from the first to the last of these years, both inclusive; None: all
        Raises UsageError if the run builds an option, or in a year, that the instance does not have.
        """
        instance, run = given_instance(instance), given_run(run)
        if run.plan["settings"].get("relaxed"):
            raise UsageError("the run is a linear relaxation: what it builds is no plan that could be held")
        known = {o.option for o in instance.options}
        _check_options(options or (), known)
        built: dict[tuple[str, int], float] = {}
        for row in run.tables["builds"].itertuples():
            built[str(row.option), int(row.start_year)] = float(row.modules)
        chosen = known if options is None else set(options)
        first, last = years or (instance.years[0], instance.years[-1])
        if not any(first <= year <= last for year in instance.years):
            begin = ", ".join(map(str, instance.years))
            raise UsageError(f"no period begins in {first} to {last}, so no build is fixed; periods begin in {begin}")
        stray = {o for (o, y) in built if o not in known and first <= y <= last and (options is None or o in chosen)}
        if stray:
            raise UsageError(f"the run builds {', '.join(sorted(stray))}, which the instance does not have")
        late = sorted(
            y for (o, y), n in built.items() if o in chosen and first <= y <= last and y not in instance.years
        )
        if late:
            raise UsageError(f"the run starts builds in {late[0]}, which is not a period's first year in the instance")
        return cls({(o, y): built.get((o, y), 0.0) for o in chosen for y in instance.years if first <= y <= last})

    @classmethod
    def parse(cls, instance: Instance, force: Iterable[str] = (), forbid: Iterable[str] = ()) -> Pins:
        """Read pins as written on the command line.

        force   ``OPTION@YEAR`` (one module, or all if less than one can be built) or ``OPTION@YEAR:MODULES``
        forbid  names of options, or conditions that they meet, such as ``owner="MP Materials"``
        Raises UsageError if a text or an option is not valid.
        """
        forced: dict[tuple[str, int], float] = {}
        for text in force:
            match = re.fullmatch(r"(?P<option>.+)@(?P<year>\d{4})(?::(?P<modules>\d+(\.\d+)?))?", text)
            if match is None:
                raise UsageError(f'"{text}": expected OPTION@YEAR or OPTION@YEAR:MODULES, such as texas-line@2027')
            option = match["option"]
            _check_options([option], {o.option for o in instance.options})
            most = next(o.max_modules for o in instance.options if o.option == option)
            forced[option, int(match["year"])] = float(match["modules"] or min(1.0, most))
        forbidden: list[str] = []
        for text in forbid:
            if "=" in text:
                forbidden += [row.option for row in instance.matching("options", text)]
            else:
                _check_options([text], {o.option for o in instance.options})
                forbidden.append(text)
        return cls({}, forced, tuple(dict.fromkeys(forbidden)))

    def __bool__(self) -> bool:
        return bool(self.fixed or self.force or self.forbid)

    def __or__(self, other: Pins) -> Pins:
        """Return the pins of both; where both set the same build, ``other`` counts."""
        return Pins({**self.fixed, **other.fixed}, {**self.force, **other.force}, tuple({*self.forbid, *other.forbid}))

    def hold(self, data: ModelData, arrays: Arrays) -> None:
        """Narrow the bounds of the builds in ``arrays``. Raises UsageError if a build is not possible."""
        starts = {(s.option, s.year): i for i, s in enumerate(data.build) if s.branch == PLAN}
        columns = arrays.columns.get("build", {})
        for (option, year), modules in self.fixed.items():
            if (option, year) in starts:
                k = columns[starts[option, year]]
                arrays.col_lower[k] = arrays.col_upper[k] = modules
            elif modules > _NOTHING:
                raise UsageError(f"{option} cannot be started in {year}; {_possible(option, starts)}")
        for (option, year), modules in self.force.items():
            if (option, year) not in starts:
                raise UsageError(f"{option} cannot be started in {year}; {_possible(option, starts)}")
            k = columns[starts[option, year]]
            if arrays.integer[k] and abs(modules - round(modules)) > _NOTHING:
                raise UsageError(f"{option}@{year}: it comes in whole modules, not {modules:g}")
            if modules > arrays.col_upper[k] + _NOTHING:
                raise UsageError(
                    f"{option}@{year}: at most {arrays.col_upper[k]:g} modules can be started, not {modules:g}"
                )
            arrays.col_lower[k] = max(arrays.col_lower[k], modules)
        for i, start in enumerate(data.build):
            if start.option in self.forbid:
                if arrays.col_lower[columns[i]] > _NOTHING:
                    raise UsageError(f"{start.option} is both forbidden and held at some modules in {start.year}")
                arrays.col_upper[columns[i]] = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the pins as plan.json records them."""
        return {
            "fixed": [[o, y, n] for (o, y), n in sorted(self.fixed.items()) if n > _NOTHING],
            "fixed_choices": len(self.fixed),
            "force": [[o, y, n] for (o, y), n in sorted(self.force.items())],
            "forbid": sorted(self.forbid),
        }


def in_words(recorded: Mapping[str, Any] | None) -> str:
    """Return the pins of a run as command-line options; "" if none. ``recorded`` is ``settings.pins`` of plan.json."""
    if not recorded:
        return ""
    parts = [f"--force {option}@{year}:{modules:g}" for option, year, modules in recorded["force"]]
    parts += [f"--forbid {option}" for option in recorded["forbid"]]
    if recorded["fixed_choices"]:
        parts.append(_("{n} choices of another run (--fix-from)", n=recorded["fixed_choices"]))
    return commas(parts)


def _check_options(asked: Collection[str], known: Collection[str]) -> None:
    for option in asked:
        if option not in known:
            raise UsageError(f"unknown option {option}; {did_you_mean(option, known)}".rstrip("; "))


def _possible(option: str, starts: Mapping[tuple[str, int], int]) -> str:
    years = sorted(y for (o, y) in starts if o == option)
    if not years:
        return "it can never be started"
    return f"possible: {years[0]}" if len(years) == 1 else f"possible: {years[0]} to {years[-1]}"
