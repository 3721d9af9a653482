"use strict";

const NONE = 255; // these classes are never in the same episode
const WRITTEN = 4.5; // cells below this percentage have no number

// The matrix of a method is drawn when its section is opened for the first time.
function drawConfusion(details) {
  if (details.querySelector("table")) return;
  const { classes, methods } = content(details.dataset.source);
  const method = methods[details.dataset.index];
  const names = classes[method.classes];
  const label = `Confusion matrix of ${method.name}: percent of the queries of each row`;
  details.append(scrolled(confusionTable(names, bytes(method.rates), label), label));
  if (method.pairs.length) {
    const pairs = `Most often confused classes: ${method.name}`;
    details.append(scrolled(pairTable(names, method.pairs, pairs), pairs));
  }
}

function confusionTable(names, rates, label) {
  const head = element("tr", {}, element("th", { scope: "col" }, "true class"));
  names.forEach((name, i) =>
    head.append(element("th", { scope: "col", title: name }, `${i + 1}`)));
  const body = element("tbody");
  names.forEach((name, i) => {
    const row = element("tr", {}, element("th", { scope: "row" }, `${i + 1}. `, named(name)));
    names.forEach((_, j) => {
      const rate = rates[i * names.length + j];
      const cell = element("td", {}, rate !== NONE && rate >= WRITTEN ? `${rate}` : "");
      if (rate !== NONE) cell.style.setProperty("--share", `${(0.62 * rate).toFixed(1)}%`);
      row.append(cell);
    });
    body.append(row);
  });
  const caption = element("caption", {}, label, ". Columns: predicted class, by the number of its row.");
  return element("table", { class: "rates" }, caption, element("thead", {}, head), body);
}

function pairTable(names, pairs, label) {
  const heads = ["true class", "predicted class", "rate (%)", "queries", "of"];
  const head = element("tr", {}, ...heads.map((text, i) =>
    element("th", { scope: "col", class: i > 1 ? "number" : "" }, element("button", { type: "button" }, text))));
  const rows = pairs.map(([i, j, count, possible]) => element("tr", {},
    element("th", { scope: "row" }, named(names[i])), element("td", {}, named(names[j])),
    ...[(100 * count / possible).toFixed(1), count.toLocaleString("en"), possible.toLocaleString("en")].map(
      (text) => element("td", { class: "number" }, text))));
  const table = element("table", { class: "sortable" }, element("caption", {}, label),
    element("thead", {}, head), element("tbody", {}, ...rows));
  sortable(table);
  return table;
}

for (const details of document.querySelectorAll("details.confusion")) {
  details.addEventListener("toggle", () => details.open && drawConfusion(details));
  if (details.open) drawConfusion(details);
}
