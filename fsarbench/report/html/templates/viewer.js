"use strict";

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
    const node = element("select", { id });
    options.forEach((text, i) => node.append(element("option", { value: i }, text)));
    node.addEventListener("change", () => this.show());
    // One element with the label and the selection.
    element("div", {}, element("label", { for: id }, label), node);
    return node;
  }

  // Offer only the methods whose names fit; keep the present one if none fits.
  limit(fits) {
    const options = [...this.method.options];
    const off = options.map((option) => !fits(option.textContent));
    options.forEach((option, i) => { option.hidden = option.disabled = off[i] && off.includes(false); });
    if (options[this.method.value].disabled) {
      this.method.value = off.indexOf(false);
      this.show();
    }
  }

  show() {
    const episode = this.episodes[this.episode.value];
    const output = episode.methods[this.method.value];
    this.query = Math.min(this.query, episode.labels.length - 1);
    this.queries.replaceChildren(
      ...episode.labels.map((label, query) => this.button(episode, output, label, query)),
    );
    this.detail.replaceChildren(...this.details(episode, output, this.query));
  }

  button(episode, output, label, query) {
    const predicted = largest(output.scores[query]);
    const node = element("button", { type: "button", "aria-pressed": query === this.query });
    const src = episode.clips[output.clips].query[query];
    node.append(element("img", { class: "strip", src, alt: `${output.frames} frames of query ${query + 1}` }));
    node.append(element("span", {}, `Query ${query + 1}: `, named(episode.classes[label])));
    if (predicted === label) node.append(element("span", {}, "✓ correct"));
    else node.append(element("span", { class: "wrong" }, "✗ predicted ", named(episode.classes[predicted])));
    node.addEventListener("click", () => {
      this.query = query;
      this.show();
      this.queries.children[query].focus();
    });
    return node;
  }

  *details(episode, output, query) {
    const title = element("h4", {}, `Query ${query + 1} against the classes, `, named(output.name));
    yield title;
    const right = `${percent(output.right)} of ${episode.queries} queries correct, training seed ${output.seed}.`;
    const more = episode.queries > episode.labels.length ? ` ${episode.labels.length} of them are shown.` : "";
    yield element("p", { class: "caption" }, `${right}${more} ${output.note ? `${output.note}.` : ""}`);
    for (const picture of output.pictures) yield this.legend(picture, output.pictures.length > 1);
    const order = episode.classes.map((_, n) => n);
    order.sort((a, b) => output.scores[query][b] - output.scores[query][a]);
    if (output.branches) yield branchTable(episode, output, query);
    yield element("div", { class: "classes" }, ...order.map((n) => this.card(episode, output, query, n)));
  }

  legend(picture, withBranch) {
    const blue = `Blue: similarity of two frames, from ${picture.low.toFixed(2)} (pale) to ${picture.high.toFixed(2)} (full).`;
    const dots = picture.weights ? ` Orange: ${picture.caption}; the largest dot is ${picture.most.toFixed(2)}.` : ` ${picture.caption}.`;
    const lines = picture.links.some((classLinks) => classLinks.some((links) => links.length))
      ? " Lines: the strongest tuples." : "";
    const branch = withBranch ? `Branch ${picture.branch}: ` : "";
    return element("p", { class: "caption" }, `${branch}Rows are the query's frames, columns those of the class. ${blue}${dots}${lines}`);
  }

  card(episode, output, query, n) {
    const predicted = largest(output.scores[query]) === n;
    const tags = [episode.labels[query] === n ? "true class" : "", predicted ? "predicted" : ""].filter(Boolean);
    const node = element("section", { class: predicted ? "class predicted" : "class" });
    node.append(element("h5", {}, named(episode.classes[n]), element("span", { class: "tag" }, tags.length ? ` (${tags.join(", ")})` : "")));
    const strips = episode.clips[output.clips].support[n];
    strips.forEach((src, k) =>
      node.append(element("img", { class: "strip", src, alt: `${output.frames} frames of support video ${k + 1}` })));
    node.append(scoreTable(output, query, n));
    for (const picture of output.pictures) {
      if (output.pictures.length > 1) node.append(element("p", { class: "caption" }, `Branch ${picture.branch}`));
      node.append(...pictures(episode, output, picture, query, n));
    }
    return node;
  }
}

// The logits of every branch beside the fused scores: which branch decides, and where they disagree.
function branchTable(episode, output, query) {
  const columns = [["fused score", output.scores[query]],
    ...Object.entries(output.branches).map(([name, weight]) =>
      [`branch ${name} (weight ${weight})`, output.parts[`logits of ${name}`][query]])];
  const heads = ["class", ...columns.map(([name]) => name)];
  const head = element("tr", {}, ...heads.map((text, i) => element("th", { scope: "col", class: i ? "number" : "" }, text)));
  const rows = episode.classes.map((name, n) => element("tr", {},
    element("th", { scope: "row" }, named(name), episode.labels[query] === n ? " (true class)" : ""),
    ...columns.map(([, values]) =>
      element("td", { class: largest(values) === n ? "number best" : "number" }, values[n].toFixed(3)))));
  const label = "Fused scores and logits of the branches; the predicted class of each is highlighted";
  return scrolled(element("table", { class: "branches" }, element("caption", {}, label),
    element("thead", {}, head), element("tbody", {}, ...rows)), label);
}

function scoreTable(output, query, n) {
  const body = element("tbody");
  for (const [name, scores] of [["score", output.scores], ...Object.entries(output.parts)]) {
    const row = scores[query];
    // Scores from 0 to 1 are drawn as fractions of 1; others from the lowest to the highest.
    const shares = row.every((value) => value >= 0 && value <= 1);
    const [low, high] = shares ? [0, 1] : [Math.min(...row), Math.max(...row)];
    const bar = element("span");
    bar.style.width = `${(100 * (row[n] - low)) / (high - low || 1)}%`;
    body.append(element("tr", {}, element("th", { scope: "row" }, name),
      element("td", { class: "number" }, row[n].toFixed(3)), element("td", { class: "bar" }, bar)));
  }
  return element("table", { class: "scores" }, body);
}

function* pictures(episode, output, picture, query, n) {
  const [, P, T, S] = picture.shape;
  const clips = episode.clips[output.clips];
  const shots = clips.support[n];
  const similarity = bytes(picture.similarity[query]);
  const weights = picture.weights ? bytes(picture.weights[query]) : null;
  for (let p = 0; p < P; p++) {
    const start = (n * P + p) * T * S;
    const cut = (all) => all && all.subarray(start, start + T * S);
    // Frames are drawn next to the matrix if rows and columns are frames of one video.
    const aligned = T === output.frames && S === output.frames;
    const shot = P === shots.length ? shots[p] : null;
    const links = picture.links[query][n].filter((link) => link[1] === p);
    const suffix = P > 1 ? `, shot ${p + 1}` : "";
    yield matrix({
      similarity: cut(similarity), weights: cut(weights), T, S,
      rows: aligned ? clips.query[query] : null, columns: aligned ? shot : null,
      links: links.map((link) => [link[0], link[2]]),
      label: `${output.pictures.length > 1 ? `Branch ${picture.branch}: ` : ""}Query frames against frames of ${episode.classes[n]}${suffix}. ${strongest(cut(weights) || cut(similarity), T, S)}`,
    });
  }
  const links = picture.links[query][n];
  if (links.length) yield element("ul", { class: "links" }, ...links.map((link) => element("li", {}, linkText(link, P))));
}

function linkText([queryFrames, p, classFrames, weight], P) {
  const list = (frames) => frames.map((i) => i + 1).join(", ");
  return `query frames ${list(queryFrames)} → class frames ${list(classFrames)}${P > 1 ? ` of shot ${p + 1}` : ""}: ${percent(weight)}`;
}

function strongest(values, T, S) {
  const pairs = [];
  for (let t = 0; t < T; t++) pairs.push(`${t + 1} with ${largest([...values.subarray(t * S, (t + 1) * S)]) + 1}`);
  return `Strongest: ${pairs.join(", ")}.`;
}


