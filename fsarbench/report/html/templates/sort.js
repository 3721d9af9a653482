"use strict";

// A column of numbers sorts by the first number of a cell, other columns as text.
function numberIn(text) {
  const found = text.replace(/,/g, "").replace(/−/g, "-").match(/[-+]?\d+(\.\d+)?/);
  return found ? parseFloat(found[0]) : -Infinity;
}

function sortBy(table, head, falling) {
  const column = head.cellIndex;
  const numbers = head.classList.contains("number");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const text = (row) => row.cells[column].textContent;
  const order = (a, b) =>
    numbers ? numberIn(text(a)) - numberIn(text(b)) : text(a).localeCompare(text(b));
  const rows = [...table.tBodies[0].rows].sort((a, b) => (falling ? -1 : 1) * order(a, b));
  table.tBodies[0].append(...rows);
}

function sortable(table) {
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const falling = before ? before === "ascending" : head.classList.contains("number");
      sortBy(table, head, falling);
      table.dispatchEvent(new CustomEvent("sorted", { bubbles: true }));
    });
  }
}

document.querySelectorAll("table.sortable").forEach(sortable);
