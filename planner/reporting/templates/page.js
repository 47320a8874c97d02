"use strict";
(() => {
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
  const within = (place) => [...place.querySelectorAll("figure.chart")].map((figure) => ({
    figure, plot: figure.querySelector(".plot"),
    controls: [...figure.querySelectorAll("[data-control]")],
  }));
  let figures = within(document);
  const whole = document.getElementById("drawings") !== null; // a report; else another script shows parts of one

  const key = (f) => f.controls.map((c) => c.value).join(",");

  async function unpacked(id) {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  // what each figure draws, and the rows behind it
  const ready = !whole ? Promise.resolve() : unpacked("drawings").then((text) => {
    const drawings = JSON.parse(text);
    for (const f of figures) f.spec = drawings[f.figure.id];
  });

  // a dark screen changes colours, as the page's table of them says; paper and pictures stay light
  const dark = JSON.parse(document.body.dataset.dark);
  const night = matchMedia("screen and (prefers-color-scheme: dark)");
  // a copy, as the library changes what it is given
  const copied = (drawn, light) => JSON.parse(JSON.stringify(drawn), (_, value) =>
    (!light && night.matches && typeof value === "string" && dark[value]) || value);

  // the policy of the page lets this one script run, by its hash
  async function loadLibrary() {
    document.head.append(Object.assign(document.createElement("script"), { textContent: await unpacked("library") }));
  }

  function traces(f) {
    const shown = f.spec.views[key(f)].data;
    return f.spec.background ? [f.spec.background, ...shown] : shown;
  }

  // says that a chart is wider than its place
  function hint(f) {
    const box = f.plot.parentElement;
    const swipe = f.figure.querySelector(".swipe");
    if (swipe) swipe.hidden = box.scrollWidth <= box.clientWidth;
  }

  const brief = () => document.documentElement.classList.contains("brief");

  // width in px: that of paper; none: that of the screen
  function draw(f, width) {
    if (!window.Plotly) return undefined; // not there yet: everything is drawn once it is
    f.drawn = key(f);
    const view = f.spec.views[f.drawn];
    const wide = width || f.plot.clientWidth;
    const most = width ? Math.round((brief() ? 0.55 : 0.75) * view.layout.height) : view.layout.height; // paper is narrower
    const height = f.spec.aspect ? Math.min(most, Math.round(f.spec.aspect * wide)) : most;
    f.plot.style.height = height + "px";
    hint(f);
    const layout = { ...view.layout, height, ...(width ? { width } : {}) };
    const told = f.spec.captions[key(f)];
    if (told !== undefined) {
      f.figure.querySelector(".told").textContent = told;
      f.plot.setAttribute("aria-label", f.figure.querySelector("h3").textContent + ". " + told);
    }
    const drawn = copied({ data: traces(f), layout }, width);
    return Plotly.react(f.plot, drawn.data, drawn.layout, config);
  }

  function save(name, text) {
    const address = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv;charset=utf-8" }));
    const link = Object.assign(document.createElement("a"), { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  // text that a spreadsheet would take for a formula is marked as text
  function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }
  const csv = (columns, rows) => [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numeric = head.classList.contains("n");
        const value = (row) => {
          const td = row.cells[column];
          if (!numeric) return td.textContent;
          return td.dataset.v === "" || td.dataset.v === "nan" ? null : Number(td.dataset.v);
        };
        const sign = down ? -1 : 1;
        const rows = [...body.rows].map((row) => [value(row), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null); // blanks last, either way
          return sign * (numeric ? a - b : a.localeCompare(b, document.documentElement.lang, { numeric: true }));
        });
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  function number(value) {
    if (Number.isInteger(value) && Math.abs(value) < 10000) return String(value);
    return value.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 6 });
  }

  function table(columns, rows) {
    const made = document.createElement("table");
    const head = made.createTHead().insertRow();
    const numeric = columns.map((_, i) => rows.some((row) => typeof row[i] === "number"));
    columns.forEach((name, i) => {
      const th = Object.assign(document.createElement("th"), { scope: "col", textContent: name.replaceAll("_", " ") });
      if (numeric[i]) th.className = "n";
      head.append(th);
    });
    const body = made.createTBody();
    for (const row of rows) {
      const tr = body.insertRow();
      row.forEach((value, i) => {
        const td = tr.insertCell();
        if (numeric[i]) {
          td.className = "n";
          td.dataset.v = value === null ? "" : value;
          td.textContent = value === null ? "" : number(value);
        } else td.textContent = value === null ? "" : value;
      });
    }
    sortable(made);
    return made;
  }

  const words = (control) => control.options ? [...control.options].map((o) => o.text) : control.dataset.choices.split("|");
  const offered = (f) => f.controls.filter((control) => control.type !== "hidden");
  // the words of what is chosen: beside a slider, and on paper
  function tell(control) {
    if (!control.nextElementSibling) return; // there is nothing to choose
    const chosen = words(control)[control.value];
    control.nextElementSibling.textContent = chosen;
    if (!control.options) control.setAttribute("aria-valuetext", chosen);
  }

  // the address holds the place on the page, and by figure the words of what was chosen where that is not the first:
  // "#map&map-flows=magnet,2035"
  function keep(place) {
    if (!whole) return;
    const chosen = figures.filter((f) => key(f) !== f.first).map((f) =>
      f.figure.id + "=" + offered(f).map((c) => encodeURIComponent(words(c)[c.value])).join(","));
    history.replaceState(null, "", "#" + [place, ...chosen].join("&"));
  }
  function recall(address) {
    const [place, ...chosen] = address.slice(1).split("&");
    for (const [id, values] of chosen.map((one) => one.split("="))) {
      const f = figures.find((one) => one.figure.id === id);
      (values || "").split(",").forEach((value, n) => {
        const control = f && offered(f)[n];
        const at = control ? words(control).findIndex((one) => encodeURIComponent(one) === value) : -1;
        if (at < 0) return; // what an older page offered stays as the page begins
        control.value = String(at);
        tell(control);
      });
    }
    return place;
  }
  for (const f of figures) f.first = key(f);
  const opened = whole && recall(location.hash);
  if (whole) addEventListener("hashchange", () => {
    const place = recall(location.hash);
    figures.forEach((f) => key(f) !== f.drawn && draw(f));
    keep(place);
    if (location.hash.includes("&")) document.getElementById(place)?.scrollIntoView();
  });

  function wire(f) {
    for (const control of f.controls) {
      control.addEventListener("input", () => {
        tell(control);
        draw(f);
        keep(location.hash.slice(1).split("&")[0]);
      });
    }
    f.figure.querySelector(".csv").addEventListener("click", () =>
      ready.then(() => save(f.figure.id + ".csv", csv(f.spec.columns, f.spec.rows))));
    f.figure.querySelector(".picture").addEventListener("click", () =>
      Plotly.downloadImage(copied({ data: traces(f), layout: f.spec.views[key(f)].layout }, true), { format: "png", scale: 2, filename: f.figure.id, width: f.plot.clientWidth, height: f.plot.clientHeight }));
    const rows = f.figure.querySelector("details.rows");
    rows.addEventListener("toggle", () => ready.then(() => {
      const place = rows.querySelector(".scroll");
      if (rows.open && !place.firstChild) place.append(table(f.spec.columns, f.spec.rows));
    }));
  }
  function wireTables(place) {
    place.querySelectorAll("table.sortable").forEach(sortable);
    place.querySelectorAll("button.table-csv").forEach((button) => button.addEventListener("click", () => {
      const found = document.getElementById(button.dataset.table);
      const columns = [...found.tHead.rows[0].cells].map((th) => th.textContent);
      const rows = [...found.tBodies[0].rows].map((row) => [...row.cells].map((td) =>
        td.dataset.v === undefined ? td.textContent : td.dataset.v === "" || td.dataset.v === "nan" ? null : Number(td.dataset.v)));
      save(button.dataset.table + ".csv", csv(columns, rows));
    }));
  }
  figures.forEach(wire);
  wireTables(document);

  // shows other sections in a place, with what the reader had chosen of those that were there before
  const showing = new Map(); // place -> number of what is shown there
  async function show(place, html, drawings) {
    const now = (showing.get(place) || 0) + 1;
    showing.set(place, now);
    const chosen = new Map(), opened = new Set();
    for (const f of figures.filter((one) => place.contains(one.figure))) {
      chosen.set(f.figure.id, offered(f).map((c) => words(c)[c.value]));
      if (window.Plotly) Plotly.purge(f.plot);
    }
    place.querySelectorAll("details[open] > summary").forEach((summary) => opened.add(summary.textContent.split("(")[0]));
    figures = figures.filter((one) => !place.contains(one.figure));
    place.innerHTML = html; // made by the server from templates that escape all names; the policy runs no script of it
    place.querySelectorAll("details.folded > summary").forEach((summary) => {
      summary.parentElement.open = opened.has(summary.textContent.split("(")[0]);
    });
    const added = within(place);
    for (const f of added) {
      f.spec = drawings[f.figure.id];
      f.first = key(f);
      offered(f).forEach((control, n) => {
        const at = words(control).indexOf((chosen.get(f.figure.id) || [])[n]);
        if (at >= 0) control.value = String(at);
        tell(control);
      });
      wire(f);
    }
    wireTables(place);
    figures.push(...added);
    for (const f of added) {
      if (now !== showing.get(place)) return;
      await draw(f);
      await new Promise((next) => setTimeout(next));
    }
  }
  window.page = { show };

  // one chart after the other, so that the page can be read meanwhile
  if (whole) (async () => {
    await ready.then(loadLibrary).catch(() => undefined);
    if (!window.Plotly) {
      for (const f of figures) {
        f.plot.textContent = document.body.dataset.old;
        f.figure.querySelectorAll(".controls, .tools").forEach((part) => part.remove());
      }
      return;
    }
    for (const f of figures) {
      await draw(f);
      await new Promise((next) => setTimeout(next));
    }
    if (location.hash.includes("&")) document.getElementById(opened)?.scrollIntoView();
    document.documentElement.dataset.drawn = String(figures.length);
  })();

  // afresh, because the library would move the bands of a flow diagram to their new places in half a second
  const redraw = (width) => window.Plotly && figures.forEach((f) => {
    Plotly.purge(f.plot);
    draw(f, width);
  });

  // an annex at the end, on paper only: the tables that are folded on the page, such as the sources
  function annex() {
    const made = Object.assign(document.createElement("section"), { className: "annex" });
    const add = (level, text) => made.append(Object.assign(document.createElement(level), { textContent: text }));
    add("h2", document.body.dataset.annex);
    for (const part of document.querySelectorAll("details.folded:not(.cards)")) {
      add("h3", part.querySelector("summary").textContent);
      const table = part.querySelector("table").cloneNode(true);
      table.removeAttribute("id");
      made.append(table);
    }
    document.querySelector("main").append(made);
    return made;
  }
  document.querySelector(".printing .whole")?.addEventListener("click", () => {
    const made = annex();
    addEventListener("afterprint", () => made.remove(), { once: true });
    print();
  });
  document.querySelector(".printing .two")?.addEventListener("click", () => {
    document.documentElement.classList.add("brief");
    addEventListener("afterprint", () => document.documentElement.classList.remove("brief"), { once: true });
    print();
  });
  addEventListener("beforeprint", () => redraw(690)); // px: the width of a printed page
  addEventListener("afterprint", () => redraw());
  addEventListener("resize", () => figures.forEach(hint));
  night.addEventListener("change", () => redraw());
})();
