"use strict";

// A column of numbers sorts by the first number of a cell, other columns as text.
function sortTables() {
  const number = (text) => {
    const found = text.replace(/,/g, "").replace(/−/g, "-").match(/[-+]?\d+(\.\d+)?/);
    return found ? parseFloat(found[0]) : -Infinity;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const numbers = head.classList.contains("number");
        const before = head.getAttribute("aria-sort");
        const falling = before ? before === "ascending" : numbers;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        const text = (row) => row.cells[column].textContent;
        const order = (a, b) =>
          numbers ? number(text(a)) - number(text(b)) : text(a).localeCompare(text(b));
        const rows = [...table.tBodies[0].rows].sort((a, b) => (falling ? -1 : 1) * order(a, b));
        table.tBodies[0].append(...rows);
      });
    });
  }
}
sortTables();
