"use strict";

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// A name is text, isolated from the writing direction around it.
const named = (text) => element("bdi", {}, text);
const percent = (share) => `${Math.round(100 * share)} %`;

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function largest(values) {
  return values.indexOf(Math.max(...values));
}

// The content of a JSON element, parsed at its first use.
const parsed = new Map();
function content(id) {
  if (!parsed.has(id)) parsed.set(id, JSON.parse(document.getElementById(id).textContent));
  return parsed.get(id);
}

// A table in a box that scrolls sideways, also by keys.
function scrolled(table, label) {
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, table);
}
