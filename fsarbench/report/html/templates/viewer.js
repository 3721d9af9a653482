"use strict";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A name is text in a direction of its own, whatever is in it.
const named = (text) => element("bdi", {}, text);
const percent = (share) => `${Math.round(100 * share)} %`;

class Viewer {
  constructor(root, episodes) {
    this.root = root;
    this.episodes = episodes;
    this.query = 0;
    const methods = episodes[0].methods.map((method) => method.name);
    this.episode = this.choice("Episode", episodes.map((e) => `${e.number}${e.why ? `: ${e.why}` : ""}`));
    this.method = this.choice("Method", methods);
    this.queries = element("div", { class: "queries", role: "group", "aria-label": "Queries" });
    this.detail = element("div", { class: "detail", "aria-live": "polite" });
    const controls = element("div", { class: "controls" }, this.episode.parentNode, this.method.parentNode);
    root.replaceChildren(controls, this.queries, this.detail);
    this.show();
  }

  choice(label, options) {
    const id = `${this.root.dataset.source}-${label.toLowerCase()}`;
    const made = element("select", { id });
    options.forEach((text, i) => made.append(element("option", { value: i }, text)));
    made.addEventListener("change", () => this.show());
    // Wraps its label and itself, which go into the page together.
    element("div", {}, element("label", { for: id }, label), made);
    return made;
  }

  show() {
    const episode = this.episodes[this.episode.value];
    const seen = episode.methods[this.method.value];
    this.query = Math.min(this.query, episode.labels.length - 1);
    this.queries.replaceChildren(
      ...episode.labels.map((label, query) => this.button(episode, seen, label, query)),
    );
    this.detail.replaceChildren(...this.details(episode, seen, this.query));
  }

  button(episode, seen, label, query) {
    const said = largest(seen.scores[query]);
    const made = element("button", { type: "button", "aria-pressed": query === this.query });
    const src = episode.clips[seen.clips].query[query];
    made.append(element("img", { class: "strip", src, alt: `${seen.frames} frames of query ${query + 1}` }));
    made.append(element("span", {}, `Query ${query + 1}: `, named(episode.classes[label])));
    if (said === label) made.append(element("span", {}, "✓ answered right"));
    else made.append(element("span", { class: "wrong" }, "✗ taken for ", named(episode.classes[said])));
    made.addEventListener("click", () => {
      this.query = query;
      this.show();
      this.queries.children[query].focus();
    });
    return made;
  }

  *details(episode, seen, query) {
    const title = element("h4", {}, `Query ${query + 1} against the classes, `, named(seen.name));
    yield title;
    const right = `${percent(seen.right)} of ${episode.queries} queries right, training seed ${seen.seed}.`;
    const more = episode.queries > episode.labels.length ? ` The first ${episode.labels.length} are shown.` : "";
    yield element("p", { class: "caption" }, `${right}${more} ${seen.note ? `${seen.note}.` : ""}`);
    for (const picture of seen.pictures) yield this.legend(picture, seen.pictures.length > 1);
    const order = episode.classes.map((_, n) => n);
    order.sort((a, b) => seen.scores[query][b] - seen.scores[query][a]);
    yield element("div", { class: "classes" }, ...order.map((n) => this.card(episode, seen, query, n)));
  }

  legend(picture, named) {
    const blue = `Blue: how alike two frames are, cosine ${picture.low.toFixed(2)} (pale) to ${picture.high.toFixed(2)} (full).`;
    const dots = picture.weights ? ` Orange: ${picture.caption}; the largest dot is ${picture.most.toFixed(2)}.` : ` ${picture.caption}.`;
    const lines = picture.links.some((each) => each.some((links) => links.length))
      ? " Lines: the strongest tuples." : "";
    const branch = named ? `Branch ${picture.branch}: ` : "";
    return element("p", { class: "caption" }, `${branch}Rows are the query's frames, columns those of the class. ${blue}${dots}${lines}`);
  }

  card(episode, seen, query, n) {
    const said = largest(seen.scores[query]) === n;
    const tags = [episode.labels[query] === n ? "true class" : "", said ? "answered" : ""].filter(Boolean);
    const made = element("section", { class: said ? "class said" : "class" });
    made.append(element("h5", {}, named(episode.classes[n]), element("span", { class: "tag" }, tags.length ? ` (${tags.join(", ")})` : "")));
    const strips = episode.clips[seen.clips].support[n];
    strips.forEach((src, k) =>
      made.append(element("img", { class: "strip", src, alt: `${seen.frames} frames of support video ${k + 1}` })));
    made.append(scoreTable(seen, query, n));
    for (const picture of seen.pictures) {
      if (seen.pictures.length > 1) made.append(element("p", { class: "caption" }, `Branch ${picture.branch}`));
      made.append(...pictures(episode, seen, picture, query, n));
    }
    return made;
  }
}

function largest(values) {
  return values.indexOf(Math.max(...values));
}

function scoreTable(seen, query, n) {
  const body = element("tbody");
  for (const [name, scores] of [["score", seen.scores], ...Object.entries(seen.parts)]) {
    const row = scores[query];
    // Most readouts give shares of 1; others are drawn from the least to the largest.
    const shares = row.every((value) => value >= 0 && value <= 1);
    const [low, high] = shares ? [0, 1] : [Math.min(...row), Math.max(...row)];
    const bar = element("span");
    bar.style.width = `${(100 * (row[n] - low)) / (high - low || 1)}%`;
    body.append(element("tr", {}, element("th", { scope: "row" }, name),
      element("td", { class: "number" }, row[n].toFixed(3)), element("td", { class: "bar" }, bar)));
  }
  return element("table", { class: "scores" }, body);
}

function* pictures(episode, seen, picture, query, n) {
  const [, P, T, S] = picture.shape;
  const clips = episode.clips[seen.clips];
  const shots = clips.support[n];
  const similarity = bytes(picture.similarity[query]);
  const weights = picture.weights ? bytes(picture.weights[query]) : null;
  for (let p = 0; p < P; p++) {
    const start = (n * P + p) * T * S;
    const cut = (all) => all && all.subarray(start, start + T * S);
    // Frames stand at the side where a prototype is one video and time was kept.
    const own = T === seen.frames && S === seen.frames;
    const each = P === shots.length ? shots[p] : null;
    const links = picture.links[query][n].filter((link) => link[1] === p);
    const which = P > 1 ? `, shot ${p + 1}` : "";
    yield matrix({
      similarity: cut(similarity), weights: cut(weights), T, S,
      rows: own ? clips.query[query] : null, columns: own ? each : null,
      links: links.map((link) => [link[0], link[2]]),
      label: `${seen.pictures.length > 1 ? `Branch ${picture.branch}: ` : ""}Query frames against frames of ${episode.classes[n]}${which}. ${strongest(cut(weights) || cut(similarity), T, S)}`,
    });
  }
  const links = picture.links[query][n];
  if (links.length) yield element("ul", { class: "links" }, ...links.map((link) => element("li", {}, linkText(link, P))));
}

function linkText([asked, p, given, weight], P) {
  const list = (frames) => frames.map((i) => i + 1).join(", ");
  return `query's frames ${list(asked)} → frames ${list(given)}${P > 1 ? ` of shot ${p + 1}` : ""}: ${percent(weight)}`;
}

function strongest(values, T, S) {
  const found = [];
  for (let t = 0; t < T; t++) found.push(`${t + 1} with ${largest([...values.subarray(t * S, (t + 1) * S)]) + 1}`);
  return `Strongest: ${found.join(", ")}.`;
}

for (const root of document.querySelectorAll(".viewer")) {
  const data = JSON.parse(document.getElementById(root.dataset.source).textContent);
  root.viewer = new Viewer(root, data);
}
