"use strict";
(() => {
  const facts = JSON.parse(document.body.dataset.facts);
  const at = (id) => document.getElementById(id);
  const twin = at("twin") && JSON.parse(at("twin").textContent); // answers found beforehand, in the place of a server
  const word = (name, filled = {}) =>
    (facts.words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => filled[key] ?? "");
  const made = (tag, properties = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  };
  const brief = (number) => number.toLocaleString(facts.words.language, { maximumSignificantDigits: 6 });
  const signed = (number) => (number > 0 ? "+" : number < 0 ? "−" : "±") + brief(Math.abs(number));

  // --- controls: each gives the what-ifs that it stands for, and takes those that are its own from a list --------------

  const filled = (parts, values) => parts.reduce((text, part, n) => text + values[n - 1] + part);
  // the values between the parts of a what-if; null: it is another one
  function between(parts, text) {
    if (!text.startsWith(parts[0])) return null;
    let rest = text.slice(parts[0].length);
    const values = [];
    for (const [n, part] of parts.slice(1).entries()) {
      const last = n === parts.length - 2;
      const end = part === "" && last ? rest.length : last ? rest.length - part.length : rest.indexOf(part);
      if (end < 0 || rest.slice(end, end + part.length) !== part) return null;
      values.push(rest.slice(0, end));
      rest = rest.slice(end + part.length);
    }
    return rest === "" && values.every((value) => /^[\d.]+$/.test(value)) ? values : null;
  }
  // takes a what-if out of a list, and returns its values
  function taken(parts, texts) {
    for (const [n, text] of texts.entries()) {
      const values = between(parts, text);
      if (values) {
        texts.splice(n, 1);
        return values;
      }
    }
    return null;
  }

  function slider(control) {
    const id = "c-" + control.id;
    // a factor of the twin moves from one place with answers to the next; a limit anywhere, as between two of them bounds are known
    const stops = control.kind === "factor" ? control.stops : undefined;
    const range = made("input", stops ? { type: "range", id, min: 0, max: stops.length - 1, step: 1, value: stops.indexOf(String(control.start)) }
      : { type: "range", id, min: control.least, max: control.most, step: control.step, value: control.start });
    const value = () => (stops ? stops[range.value] : range.value);
    const output = made("output");
    output.setAttribute("for", id);
    const years = control.years && made("select", {}, ...control.years.map((year) => made("option", { value: year, textContent: year })));
    if (years) {
      years.value = control.first;
      years.setAttribute("aria-label", control.label + ": " + word("from"));
    }
    const box = made("div", { className: "control" }, made("label", { htmlFor: id, textContent: control.label }),
      made("div", { className: "row" }, range, output, ...(years ? [made("span", { textContent: word("from") }), years] : [])));
    const free = () => Number(value()) === Number(control.start);
    const put = (number) => { range.value = stops ? Math.max(0, stops.indexOf(String(number))) : number; };
    const tell = () => {
      const text = control.kind === "cap" ? (free() ? word("no limit") : Number(value()) + " %")
        : control.kind === "factor" ? (free() ? word("off") : "× " + Number(value())) : String(Number(value()));
      output.textContent = text;
      range.setAttribute("aria-valuetext", text);
      box.classList.toggle("changed", !free());
      if (years) years.disabled = free();
    };
    range.addEventListener("input", tell);
    range.addEventListener("change", ask);
    years?.addEventListener("change", ask);
    tell();
    return {
      box,
      main: control.main,
      limitAt: control.kind === "cap" ? (percent) => filled(control.texts[0], [percent, years.value]) : null,
      here: () => Number(value()) / 100,
      stops: control.stops,
      moveTo(percent) { put(percent); tell(); ask(); },
      texts: () => (free() ? [] : control.texts.map((parts) => filled(parts, years ? [value(), years.value] : [value()]))),
      take(texts) {
        // only what the control can say again exactly is its own; the rest stays among the other what-ifs
        for (const text of texts) {
          const values = between(control.texts[0], text);
          if (!values) continue;
          put(values[0]);
          if (years) years.value = values[1];
          const said = control.texts.map((parts) => filled(parts, values));
          if (Number(value()) !== Number(values[0]) || (years && years.value !== values[1]) || free() || !said.every((one) => texts.includes(one))) continue;
          said.forEach((one) => texts.splice(texts.indexOf(one), 1));
          return tell();
        }
        put(control.start);
        if (years) years.value = control.first;
        return tell();
      },
    };
  }

  function ticks(control) {
    const boxes = control.choices.map((choice) => made("input", { type: "checkbox" }));
    const count = made("span", { className: "count" });
    const tell = () => {
      const n = boxes.filter((one) => one.checked).length;
      count.textContent = n ? ` (${n})` : "";
    };
    const box = made("details", { className: "control" },
      made("summary", {}, control.label, count),
      made("div", { className: "list" }, ...control.choices.map((choice, n) => made("label", {}, boxes[n], choice.label))));
    box.addEventListener("change", () => { tell(); ask(); });
    return {
      box,
      texts: () => control.choices.filter((_, n) => boxes[n].checked).map((choice) => choice.text),
      take(texts) {
        control.choices.forEach((choice, n) => {
          const place = texts.indexOf(choice.text);
          boxes[n].checked = place >= 0;
          if (place >= 0) texts.splice(place, 1);
        });
        tell();
      },
    };
  }

  function projects(control) {
    const rows = control.choices.map((choice) => {
      const select = made("select", {}, ...["may", "must", "must not"].map((name) => made("option", { value: name, textContent: word(name) })));
      select.setAttribute("aria-label", choice.label);
      const years = made("select", { hidden: true }, ...choice.years.map((year) => made("option", { value: year, textContent: year })));
      years.setAttribute("aria-label", choice.label + ": " + word("start in"));
      select.addEventListener("change", () => { years.hidden = select.value !== "must"; });
      const row = made("div", { className: "project" },
        made("span", {}, choice.label, " ", made("span", { className: "where", textContent: choice.where })), select, years);
      return { choice, select, years, row };
    });
    const count = made("span", { className: "count" });
    const tell = () => {
      const n = rows.filter(({ select }) => select.value !== "may").length;
      count.textContent = n ? ` (${n})` : "";
    };
    const find = made("input", { type: "search" });
    find.setAttribute("aria-label", word("find"));
    find.placeholder = word("find");
    find.addEventListener("input", (event) => {
      event.stopPropagation();
      const sought = find.value.toLowerCase();
      rows.forEach(({ choice, row }) => {
        row.hidden = !(choice.label + " " + choice.where + " " + choice.key).toLowerCase().includes(sought);
        row.style.display = row.hidden ? "none" : "";
      });
    });
    find.addEventListener("change", (event) => event.stopPropagation());
    const box = made("details", { className: "control" }, made("summary", {}, control.label, count), find,
      made("div", { className: "list" }, ...rows.map(({ row }) => row)));
    box.addEventListener("change", () => { tell(); ask(); });
    return {
      box,
      texts: () => rows.flatMap(({ choice, select, years }) =>
        select.value === "must" ? [filled(choice.must, [years.value])] : select.value === "must not" ? [choice.not] : []),
      take(texts) {
        for (const { choice, select, years } of rows) {
          const place = texts.indexOf(choice.not);
          if (place >= 0) texts.splice(place, 1);
          const must = taken(choice.must, texts);
          select.value = must ? "must" : place >= 0 ? "must not" : "may";
          years.hidden = !must;
          if (must) years.value = must[0];
        }
        tell();
      },
    };
  }

  const kinds = { cap: slider, factor: slider, months: slider, ticks, projects };
  const controls = [];
  function lay() {
    const more = made("details", { className: "folded" }, made("summary", { textContent: word("more") }));
    for (const group of new Set(facts.controls.map((control) => control.group))) {
      const set = made("fieldset", {}, made("legend", { textContent: word("group " + group) }));
      for (const control of facts.controls.filter((one) => one.group === group)) {
        const laid = kinds[control.kind](control);
        controls.push(laid);
        (control.main === false ? more : set).append(laid.box);
      }
      if (set.children.length > 1) at("groups").append(set);
    }
    if (more.children.length > 1) at("groups").append(more);
  }

  // --- the state: a list of what-ifs, in the address ------------------------------------------------------------------

  let pins = []; // lists of what-ifs
  const others = () => at("others").value.split("\n").map((line) => line.trim()).filter((line) => line);
  const state = () => [...controls.flatMap((control) => control.texts()), ...others()];
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  function restore(changes) {
    const left = [...changes];
    controls.forEach((control) => control.take(left));
    at("others").value = left.join("\n");
    if (left.length) at("others").closest("details").open = true;
  }
  function keep() {
    const words = [...state().map((text) => "w=" + encodeURIComponent(text)),
      ...pins.map((changes) => "pin=" + encodeURIComponent(JSON.stringify(changes))),
      ...(Object.keys(held).length ? ["held=" + encodeURIComponent(JSON.stringify([at("slack").value, held]))] : []),
      ...(at("stops").open ? ["stop=" + encodeURIComponent(JSON.stringify(stop()))] : [])];
    history.replaceState(null, "", words.length ? "#" + words.join("&") : location.pathname);
  }
  function recall() {
    const given = location.hash.slice(1).split("&").filter((one) => one.includes("="));
    const of = (name) => given.filter((one) => one.startsWith(name + "=")).map((one) => {
      try { return decodeURIComponent(one.slice(name.length + 1)); } catch { return ""; }
    });
    pins = of("pin").map((text) => {
      try { return JSON.parse(text); } catch { return null; }
    }).filter((changes) => Array.isArray(changes) && changes.every((text) => typeof text === "string")).slice(0, facts.pins);
    for (const text of of("held")) {
      try {
        const [slack, modules] = JSON.parse(text);
        if (!Object.values(modules).every((one) => Number.isFinite(one))) continue;
        [at("slack").value, holding] = [slack, modules];
        at("freedom").open = true;
      } catch { /* an address that was not made here */ }
    }
    for (const text of of("stop")) {
      try {
        const asked = JSON.parse(text);
        if (!stopFits(asked)) continue;
        [at("stop-lost").value, at("stop-year").value, at("stop-months").value] = [asked.lost, asked.year, asked.months];
        at("stops").open = true;
      } catch { /* an address that was not made here */ }
    }
    restore(of("w").filter((text) => text));
  }

  // --- asking ---------------------------------------------------------------------------------------------------------

  const known = new Map(); // kind and what-ifs -> numbers of the answer
  const name = (kind, changes) => kind + JSON.stringify(changes);
  const first = facts.relaxes ? "relaxed" : "whole"; // the kind of answer that comes first
  let asking = null, shown = null;
  let held = {}, ranging = null; // option -> modules that are held; the question for ranges
  let holding = {}; // what the address holds, until the state is asked to which it belongs
  let stopping = null; // the question what a stop would do

  async function posted(path, said, signal) {
    const response = await fetch(path, { method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) });
    if (!response.ok) throw new Error((await response.text()) || response.statusText);
    return response;
  }
  async function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  // the same from the answers of the twin
  async function foundBefore(path, said, hear) {
    const asked = JSON.stringify(said.changes);
    const hearAll = async (packed) => { for (const one of JSON.parse(await unpacked(packed))) await hear(one); };
    if (path === "curve") {
      if (asked in twin.curves) await hearAll(twin.curves[asked]);
      return;
    }
    const kinds = said.kinds.filter((kind) => kind + asked in twin.answers);
    for (const kind of kinds) await hearAll(twin.answers[kind + asked]);
    if (!kinds.length) await hear({ type: "between" });
    else if (!kinds.includes("whole")) await hear({ type: "only bound" });
  }
  // asks, and hears each message of the answer
  async function lines(path, said, signal, hear) {
    if (twin) return foundBefore(path, said, hear);
    const response = await posted(path, said, signal);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      for (const part of parts) await hear(JSON.parse(part));
    }
  }

  function status(text, busy) {
    at("status").textContent = text;
    at("status").classList.toggle("busy", busy);
  }
  function problem(text) {
    at("problem").hidden = !text;
    at("problem").textContent = text;
  }

  // the cost of the relaxation is there before all else
  function showCost(cost) {
    const base = known.get(name("relaxed", []));
    const [value, versus] = ["dd:not(.versus)", ".versus"].map((which) => at("keys").querySelector(".key " + which));
    if (!value) return;
    value.textContent = brief(cost) + " " + facts.musd;
    versus.textContent = !base ? "" : word("difference", { difference: signed(cost - base.cost) + " " + facts.musd });
    value.parentElement.classList.add("fresh");
    tellBrief(value.textContent, versus.textContent);
    status(word("cost there"), true);
  }

  // what a phone shows while the reader is at the controls
  function tellBrief(cost, difference, dependence) {
    at("brief").hidden = false;
    at("brief").textContent = [cost, difference, dependence || ""].filter((text) => text).join(" · ");
  }

  // by how much a state is dearer than as it is: of plans a band, as both are known only within their gaps
  function dearer(said, changes) {
    const base = known.get(name(said.kind, []));
    if (!changes.length) return "";
    if (!base) {
      const [bound, least] = [known.get(name("relaxed", changes)), known.get(name("relaxed", []))];
      return bound && least ? word("difference of bounds", { difference: signed(bound.cost - least.cost) + " " + facts.musd }) : "";
    }
    const [least, most] = [said.bound - base.cost, said.cost - base.bound];
    const told = said.kind === "relaxed" || most - least < 1e-6 * Math.abs(said.cost) ? signed(said.cost - base.cost) : word("to", { least: signed(least), most: signed(most) });
    return word("difference", { difference: told + " " + facts.musd });
  }

  function showNumbers(said) {
    const versus = dearer(said, shown.changes);
    at("keys").replaceChildren(...said.keys.map((key, n) => {
      return made("div", { className: "key " + key.tone }, made("dt", { textContent: key.label }), made("dd", { textContent: key.value }),
        ...(n === 0 ? [made("dd", { className: "versus", textContent: versus })] : []), made("dd", { className: "more", textContent: key.more }));
    }));
    tellBrief(said.keys[0].value, versus, said.keys[1]?.value);
    at("command").textContent = said.command;
    at("command").parentElement.hidden = false;
    at("matched").hidden = !said.matched.length;
    at("matched").querySelector("ul").replaceChildren(...said.matched.map((text) => made("li", { textContent: text })));
    document.querySelector("main").classList.remove("old");
  }

  // the two costs between which that of a limit lies for which no answer was found
  function showBetween() {
    const limit = controls.find((one) => one.limitAt && one.stops);
    const own = limit ? limit.texts() : [];
    const rest = state().filter((text) => !own.includes(text));
    const costAt = (percent) => twin.costs[JSON.stringify(percent === 100 ? rest : [limit.limitAt(percent), ...rest])];
    const stops = limit && own.length ? limit.stops.map(Number).filter((percent) => costAt(percent) != null) : [];
    const here = limit ? 100 * limit.here() : 100;
    const looser = Math.min(...stops.filter((percent) => percent > here)), tighter = Math.max(...stops.filter((percent) => percent < here));
    at("sections").replaceChildren();
    at("matched").hidden = true;
    at("command").parentElement.hidden = true;
    if (!Number.isFinite(looser)) {
      at("keys").replaceChildren();
      return problem(word("no answer"));
    }
    const [least, most] = [costAt(looser), Number.isFinite(tighter) ? costAt(tighter) : null];
    const said = most === null ? word("between short", { least: brief(least) })
      : brief(least) === brief(most) ? brief(least) : word("between", { least: brief(least), most: brief(most) });
    const goes = (percent) => {
      const button = made("button", { type: "button", textContent: word("to limit", { limit: percent === 100 ? word("no limit") : percent + " %" }) });
      button.addEventListener("click", () => limit.moveTo(percent));
      return button;
    };
    at("keys").replaceChildren(made("div", { className: "key" }, made("dt", { textContent: word("bound of", { musd: facts.musd }) }), made("dd", { textContent: said }),
      made("dd", { className: "more" }, word("between more"), " ", goes(looser), ...(most === null ? [] : [" ", goes(tighter)]))));
    tellBrief(said, "");
    document.querySelector("main").classList.remove("old");
    traceCurve();
    return undefined;
  }

  async function ask() {
    [held, holding] = [holding, {}];
    keep();
    asking?.abort();
    ranging?.abort(); // they were of another state
    stopping?.abort();
    tellStop(at("stops").open ? word("stop waits") : "");
    at("stop-place").classList.add("old");
    at("freedom").querySelector("tbody").replaceChildren();
    at("freedom-status").textContent = "";
    if (Object.keys(held).length) findRanges();
    const mine = asking = new AbortController();
    const changes = state(), began = performance.now();
    let bound = null;
    problem("");
    document.querySelector("main").classList.add("old");
    status(word("bound"), true);
    const hear = async (said) => {
      if (mine !== asking) return;
      if (said.type === "waiting") status(word("waiting"), true);
      else if (said.type === "begun") status(said.kind === "relaxed" ? word("bound") : bound ? word("bound there") : word("searching", { bound: "…" }), true);
      else if (said.type === "numbers") {
        shown = { changes, said };
        if (said.kind === "relaxed") bound = said;
        known.set(name(said.kind, changes), said);
        showNumbers(said);
        drawPins();
        fetchPins();
        at("answer").dataset.seconds = ((performance.now() - began) / 1000).toFixed(2);
        at("answer").dataset.kind = said.kind;
        if (said.kind === "relaxed") status(word("bound there") + " " + word("seconds", { seconds: ((performance.now() - began) / 1000).toFixed(1) }), true);
        else {
          status(word("whole there", { gap: (100 * said.gap).toFixed(2) + " %" }), false);
          findStop();
        }
      } else if (said.type === "standing") {
        status(said.best === null ? word("searching", { bound: brief(said.bound) }) : word("standing", { best: brief(said.best), bound: brief(said.bound) }), true);
      } else if (said.type === "sections") {
        await drawn;
        if (mine !== asking) return;
        if (said.kind === "relaxed") traceCurve(mine.signal);
        await page.show(at("sections"), said.html, said.drawings);
        at("answer").dataset.drawn = said.kind;
      } else if (said.type === "between") {
        status("", false);
        showBetween();
      } else if (said.type === "only bound") {
        status(word("twin bound"), false);
      } else if (said.type === "cost") {
        showCost(said.cost);
        at("answer").dataset.cost = ((performance.now() - began) / 1000).toFixed(2);
      } else if (said.type === "error") {
        problem(said.text);
        status("", false);
      }
    };
    try {
      await lines("ask", { changes, kinds: facts.relaxes ? ["relaxed", "whole"] : ["whole"] }, mine.signal, hear);
    } catch (error) {
      if (mine !== asking) return;
      status("", false);
      problem(error instanceof TypeError ? word("unreachable") : error.message);
    }
  }

  // the curve of the first limit that is of the whole chain, with all else as it is; it comes beside the plan
  async function traceCurve(signal) {
    const limit = controls.find((one) => one.main && one.limitAt);
    if (!limit) return;
    const texts = limit.texts(), changes = state().filter((text) => !texts.includes(text));
    const here = limit.here();
    const limits = [...new Set([100, 80, 70, 60, 50, 40, 30, 20, 10, 5, 0, Math.round(here * 100)])];
    const said = { changes, points: limits.map((percent) => [percent / 100, limit.limitAt(percent)]), here };
    await lines("curve", said, signal, async (heard) => {
      if (heard.type === "sections" && heard.html) await page.show(at("curve-place"), heard.html, heard.drawings);
    }).catch(() => undefined);
  }

  // --- pinned answers -------------------------------------------------------------------------------------------------

  const called = (changes) => (changes.length ? changes.join("; ") : word("as it is"));
  function drawPins() {
    at("pins").hidden = !pins.length;
    if (!pins.length) return;
    const columns = [[], ...pins].filter((changes, n) => n === 0 || changes.length);
    const now = shown && !columns.some((changes) => same(changes, shown.changes)) ? [shown.changes] : [];
    const all = [...columns, ...now];
    // of one kind, as the difference of a plan and a bound would say nothing
    const kind = all.every((changes) => known.has(name("whole", changes))) ? "whole" : first;
    const rows = all.map((changes) => known.get(name(kind, changes)));
    const labels = (rows.find((one) => one) || { rows: [] }).rows;
    const head = made("tr", {}, made("th", { scope: "col", textContent: word("what") }), ...all.map((changes, n) => {
      const cell = made("th", { scope: "col", className: "pin n" }, made("div", { className: "changes", textContent: called(changes) }));
      const said = rows[n];
      if (said) cell.append(made("div", { className: "changes", textContent: word(said.kind) }));
      const back = made("button", { type: "button", textContent: word("back to") });
      back.addEventListener("click", () => { restore(changes); ask(); });
      cell.append(back);
      if (n > 0 && n < columns.length) {
        const away = made("button", { type: "button", textContent: word("unpin") });
        away.addEventListener("click", () => {
          pins = pins.filter((one) => !same(one, changes));
          keep();
          drawPins();
        });
        cell.append(" ", away);
      }
      return cell;
    }));
    const body = labels.map((label, r) => made("tr", {}, made("th", { scope: "row", textContent: label.label }), ...rows.map((said, n) => {
      const row = said?.rows[r];
      const first = rows[0]?.rows[r];
      const change = n > 0 && row?.value != null && first?.value != null && row.value !== first.value
        ? made("div", { className: "changes", textContent: row.share ? signed(Number((100 * (row.value - first.value)).toFixed(1))) + " " + word("points") : signed(row.value - first.value) }) : "";
      return made("td", { className: "n" }, row ? row.written : "…", change);
    })));
    at("pins").querySelector("table").replaceChildren(made("thead", {}, head), made("tbody", {}, ...body));
  }
  // numbers of as it is and of pinned states, where they are not known here
  let fetching = false;
  async function fetchPins() {
    if (fetching) return;
    fetching = true;
    for (const changes of [[], ...pins]) {
      if (known.has(name(first, changes))) continue;
      await lines("ask", { changes, kinds: [first] }, undefined, (said) => {
        if (said.type === "numbers") known.set(name(said.kind, changes), said);
      }).catch(() => undefined);
      drawPins();
      if (shown && !document.querySelector("main").classList.contains("old")) showNumbers(shown.said);
    }
    fetching = false;
  }

  // --- near-optimal freedom: holding a project narrows the ranges of the others ----------------------------------------

  async function findRanges() {
    ranging?.abort();
    const mine = ranging = new AbortController();
    const body = at("freedom").querySelector("tbody");
    const tell = (text) => { at("freedom-status").textContent = text; };
    let count = 0;
    body.replaceChildren();
    tell(word("ranging", { count }));
    try {
      await lines("freedom", { changes: state(), slack: Number(at("slack").value), held }, mine.signal, (said) => {
        if (said.type === "error") throw new Error(said.text);
        if (said.type !== "range") return;
        tell(word("ranging", { count: ++count }));
        const fixed = said.option in held;
        const range = made("input", { type: "range", min: said.least, max: said.most, step: "any", value: fixed ? held[said.option] : said.least, disabled: said.most - said.least < 1e-3 && !fixed });
        range.setAttribute("aria-label", word("hold at") + ": " + said.label);
        const output = made("output", { textContent: fixed ? word("held", { value: brief(held[said.option]) }) : "" });
        range.addEventListener("input", () => { output.textContent = brief(Number(range.value)); });
        range.addEventListener("change", () => { held = { ...held, [said.option]: Number(range.value) }; keep(); findRanges(); });
        body.append(made("tr", {}, made("td", {}, said.label, " ", made("span", { className: "where", textContent: said.where })),
          made("td", { className: "n", textContent: said.least.toFixed(2) }), made("td", { className: "n", textContent: said.most.toFixed(2) }), made("td", {}, range, output)));
      });
      if (mine === ranging) tell(word("ranged"));
    } catch (error) {
      if (mine === ranging) tell(error.message);
    }
  }
  at("ranges").addEventListener("click", findRanges);
  at("let-go").addEventListener("click", () => { held = {}; keep(); findRanges(); });
  if (!facts.relaxes) at("freedom").hidden = true;

  // --- what a stop would do to the plan; asked as soon as there is one, while the reader has it open ---------------------

  const tellStop = (text) => { at("stop-status").textContent = text; };
  const stop = () => ({ lost: at("stop-lost").value, year: Number(at("stop-year").value), months: Number(at("stop-months").value) });
  const stopFits = ({ lost, year, months }) => facts.stops.lost.some((one) => one.case === lost) && facts.stops.years.includes(year)
    && Number.isInteger(months) && months >= 1 && months <= facts.stops.most;
  function layStop() {
    at("stop-lost").append(...facts.stops.lost.map((one) => made("option", { value: one.case, textContent: one.label })));
    at("stop-year").append(...facts.stops.years.map((year) => made("option", { value: year, textContent: year })));
    at("stop-months").max = facts.stops.most;
    at("stop-months").value = facts.stops.months;
    for (const id of ["stop-lost", "stop-year", "stop-months"]) at(id).addEventListener("change", () => { keep(); findStop(); });
    at("stops").addEventListener("toggle", () => { keep(); findStop(); });
    if (!facts.stops.lost.length) at("stops").hidden = true;
  }
  async function findStop() {
    if (!at("stops").open || shown?.said.kind !== "whole" || !same(shown.changes, state())) return;
    stopping?.abort();
    const asked = stop();
    if (!stopFits(asked)) {
      if (!at("stop-months").reportValidity()) tellStop(at("stop-months").validationMessage);
      return;
    }
    const mine = stopping = new AbortController();
    at("stop-place").classList.add("old");
    tellStop(word("stop sought"));
    try {
      await lines("stop", { changes: state(), ...asked }, mine.signal, async (said) => {
        if (said.type === "error") throw new Error(said.text);
        if (said.type === "waiting") tellStop(word("waiting"));
        if (said.type === "begun") tellStop(word("stop sought"));
        if (said.type !== "sections") return;
        await drawn;
        if (mine !== stopping) return;
        await page.show(at("stop-place"), said.html, said.drawings);
        at("stop-place").classList.remove("old");
        tellStop("");
      });
    } catch (error) {
      if (mine !== stopping) return;
      at("stop-place").replaceChildren();
      tellStop(error.message);
    }
  }

  // --- what can be done with an answer --------------------------------------------------------------------------------

  at("overlay").addEventListener("click", async () => {
    try {
      const link = made("a", { href: URL.createObjectURL(await (await posted("overlay", { changes: state() })).blob()), download: "what-if.zip" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch (error) { problem(error.message); }
  });
  at("save")?.addEventListener("click", async () => {
    try {
      await lines("save", { changes: state() }, undefined, (said) => {
        if (said.type === "error") problem(said.text);
        else status(said.type === "saved" ? said.text : word("saving"), said.type !== "saved");
      });
    } catch (error) { problem(error.message); }
  });
  at("share").addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href);
    status(word("copied"), at("status").classList.contains("busy"));
  });
  at("pin").addEventListener("click", () => {
    const changes = state();
    if (!changes.length || pins.some((one) => same(one, changes))) return drawPins();
    pins = [...pins, changes].slice(-facts.pins);
    keep();
    drawPins();
    return fetchPins();
  });

  // --- beginning ------------------------------------------------------------------------------------------------------

  const drawn = new Promise((ready) => {
    const library = document.querySelector("script[src$='plotly.js']");
    if (window.Plotly) ready();
    else if (library) library.addEventListener("load", ready);
    else unpacked(at("library").textContent).then((script) => {
      document.head.append(made("script", { textContent: script })); // the policy lets it run, by its hash
      ready();
    });
  });
  lay();
  layStop();
  recall();
  at("controls").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  at("controls").addEventListener("reset", (event) => { event.preventDefault(); restore([]); ask(); });
  addEventListener("hashchange", () => { recall(); ask(); });
  ask();
})();
