"use strict";

// The filter, the columns and the order of rows are kept in the address: #PLACE?filter=...&columns=...
class Tools {
  constructor(form) {
    this.form = form;
    this.filter = form.querySelector("#filter");
    this.boxes = [...form.querySelectorAll("input[type=checkbox]")];
    this.tables = [...document.querySelectorAll("table.methods")];
    // The order of the file, to which a reset returns.
    this.first = new Map(this.tables.map((table) => [table, [...table.tBodies[0].rows]]));
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.changed());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.restore(new URLSearchParams());
      this.changed();
    });
    document.addEventListener("sorted", () => this.write());
    window.addEventListener("hashchange", () => this.moved());
    const [place, state] = this.address();
    this.restore(state);
    this.show();
    if (place && state.size) document.getElementById(place)?.scrollIntoView();
  }

  address() {
    const [place, ...state] = location.hash.slice(1).split("?");
    return [place, new URLSearchParams(state.join("?"))];
  }

  // A link of the page replaces the state in the address, which is then added again.
  moved() {
    if (!location.hash.includes("?")) return this.write();
    this.restore(this.address()[1]);
    return this.show();
  }

  usual(box) {
    return "usual" in box.dataset;
  }

  restore(state) {
    this.filter.value = state.get("filter") ?? "";
    const chosen = state.get("columns")?.split(",");
    for (const box of this.boxes) box.checked = chosen ? chosen.includes(box.value) : this.usual(box);
    const sorts = new Map(state.getAll("sort").map((text) => {
      const [section, key] = text.split(":");
      return [section, key ?? ""];
    }));
    for (const table of this.tables) {
      const key = sorts.get(table.dataset.section) ?? "";
      const head = [...table.tHead.rows[0].cells].find((cell) => cell.dataset.key === key.replace(/^~/, ""));
      if (head) sortBy(table, head, key.startsWith("~"));
      else this.unsorted(table);
    }
  }

  unsorted(table) {
    for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
    table.tBodies[0].append(...this.first.get(table));
  }

  changed() {
    this.show();
    this.write();
  }

  write() {
    const state = new URLSearchParams();
    if (this.filter.value) state.set("filter", this.filter.value);
    const chosen = this.boxes.filter((box) => box.checked);
    if (this.boxes.some((box) => box.checked !== this.usual(box)))
      state.set("columns", chosen.map((box) => box.value).join(","));
    for (const table of this.tables) {
      const head = [...table.tHead.rows[0].cells].find((cell) => cell.hasAttribute("aria-sort"));
      const falling = head?.getAttribute("aria-sort") === "descending" ? "~" : "";
      if (head) state.append("sort", `${table.dataset.section}:${falling}${head.dataset.key}`);
    }
    const text = state.size ? `?${state}` : "";
    const [place] = this.address();
    if (place || text || location.hash) history.replaceState(null, "", `#${place}${text}`);
  }

  show() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (name) => words.every((word) => name.toLowerCase().includes(word));
    for (const node of document.querySelectorAll("table.methods tbody tr, details.confusion"))
      node.hidden = !fits(node.dataset.name);
    for (const table of document.querySelectorAll("table.pairs")) this.pairs(table, fits);
    for (const root of document.querySelectorAll(".viewer")) root.viewer?.limit(fits);
    // The table of the selected episodes has one column per method.
    for (const head of document.querySelectorAll("table:not(.methods) th[data-key]"))
      for (const row of head.closest("table").rows) row.cells[head.cellIndex].hidden = !fits(head.dataset.key);
    this.fits = fits;
    this.columns();
    const rows = this.tables.flatMap((table) => [...table.tBodies[0].rows]);
    const shown = rows.filter((row) => !row.hidden).length;
    const text = words.length ? `${shown} of ${rows.length} rows shown` : "";
    const output = this.form.querySelector("output");
    if (output.textContent !== text) output.textContent = text;
  }

  columns() {
    const hidden = new Set(this.boxes.filter((box) => !box.checked).map((box) => box.value));
    for (const table of this.tables) {
      const off = [...table.tHead.rows[0].cells].map((head) => hidden.has(head.dataset.key));
      for (const row of table.rows) [...row.cells].forEach((cell, i) => { cell.hidden = off[i]; });
    }
  }

  pairs(table, fits) {
    const rows = [...table.tBodies[0].rows];
    const off = rows.map((row) => !fits(row.dataset.name));
    rows.forEach((row, i) => { row.hidden = off[i]; });
    for (const row of table.rows)
      [...row.cells].forEach((cell, i) => { cell.hidden = i > 0 && off[i - 1]; });
  }
}

const form = document.querySelector("form.tools");
const tools = form && new Tools(form);

// The viewer is built after the first paint, because it reads all its data.
function buildViewers() {
  for (const root of document.querySelectorAll(".viewer")) {
    root.viewer = new Viewer(root, content(root.dataset.source));
    if (tools) root.viewer.limit(tools.fits);
    root.dataset.ready = "";
  }
}
if (document.querySelector(".viewer")) requestAnimationFrame(() => setTimeout(buildViewers));
