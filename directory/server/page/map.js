// The map: clients, layers and providers as boxes, and what passes between them.

import { makeSvg, setAttribute, setText } from './dom.js';
import { cut, plural, rate, shortKey, span } from './format.js';
import { layout } from './layout.js';
import { draw } from './links.js';
import { FORGET_AFTER } from './model.js';
import { GLYPHS, WORDS, nameOf } from './words.js';

/** The box of those who do not report to the directory. */
const CLIENTS = 'clients';

/** Layers with a column of their own. A devnet has four at most; a program may post any number, and
 * the rest share a column. */
const MAX_LAYERS = 6;

/** Pixels of a character of the names, which are drawn in a font of fixed width. */
const CHARACTER = 7.3;

/** Characters of a name that a rate must leave room for. */
const SHORT_NAME = 8;

/** Seconds of a card's little curve, one bar for each; as many as there is room for. */
const MAX_BARS = 40;

/** Pixels of a bar and of the text beside the bars. */
const BAR = 3;
const BESIDE_BARS = 72;

/** Ways without traffic are shown up to here; in a large network only those that are used. */
const MAX_IDLE = 40;

export class NetworkMap {
  #links = makeSvg('svg', { class: 'links', 'aria-hidden': 'true' });
  #boxes = makeSvg('svg', { class: 'boxes' });
  #headings = makeSvg('g', { class: 'headings' });
  #paths = new Map();
  #labels = makeSvg('g', { class: 'labels' });
  #views = new Map();
  #plan = null;
  #columns = [];
  #revision = -1;
  #width = 0;
  #drawn = null;
  #curvesAt = 0;
  #container;

  /** Calls `point(id)` when a node is pointed at (null: no more), `choose(id)` when the keyboard
   * comes to it, `toggle(id)` when it is clicked. */
  constructor(container, { point, choose, toggle }) {
    this.#container = container;
    // Two pictures, one on the other: the boxes change four times a second, the lines once, and
    // lines are what takes long to draw.
    this.#boxes.append(this.#headings);
    container.append(this.#links, this.#boxes);
    container.addEventListener('keydown', (event) => this.#move(event));
    container.addEventListener('pointerover', (event) => point(idAt(event)));
    container.addEventListener('pointerleave', () => point(null));
    container.addEventListener('click', (event) => idAt(event) && toggle(idAt(event)));
    container.addEventListener('focusin', (event) => {
      if (idAt(event) && event.target.matches(':focus-visible')) choose(idAt(event));
    });
    container.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      toggle(idAt(event));
    });
  }

  /** Draws what has changed. How many lines were too many to be drawn is given back. */
  draw(model, traffic, now, selected) {
    const width = this.#container.clientWidth;
    const isNew = this.#revision !== model.revision || this.#width !== width;
    if (isNew && width > 0) {
      this.#revision = model.revision;
      this.#width = width;
      this.#arrange(model);
    }
    if (!this.#plan) return 0;
    const isNews = this.#drawn?.traffic !== traffic;
    const isNextSecond = Math.abs(now - this.#curvesAt) >= 1000;
    if (isNextSecond) this.#curvesAt = now;
    for (const [id, view] of this.#views) {
      if (isNextSecond) remember(view, traffic.nodes.get(id)?.last ?? 0);
      if (isNew || isNextSecond) drawCurve(view);
      if (id === CLIENTS) drawClients(view, model, traffic);
      else drawNode(view, model.nodes.get(id), model, traffic, now);
      view.element.classList.toggle('selected', id === selected);
    }
    if (isNew || isNews || this.#drawn.selected !== selected) {
      this.#drawn = { traffic, selected, left: this.#drawLinks(model, traffic, selected) };
    }
    return this.#drawn.left;
  }

  /** Puts the boxes in their places; those of nodes that stay are kept. */
  #arrange(model) {
    this.#columns = columnsOf(model);
    this.#plan = layout(this.#columns, this.#width);
    const { width, height, boxes, headings } = this.#plan;
    for (const svg of [this.#links, this.#boxes]) {
      setAttribute(svg, 'width', width);
      setAttribute(svg, 'height', height);
    }
    this.#headings.replaceChildren(
      ...headings.map(({ x, y, title, anchor }) =>
        makeSvg('text', { x, y, 'text-anchor': anchor }, title)),
    );
    const hadFocus = document.activeElement?.dataset?.id;
    for (const [id, view] of this.#views) {
      if (!boxes.has(id) || boxes.get(id).density !== view.box.density) {
        view.element.remove();
        this.#views.delete(id);
      }
    }
    let next = this.#headings.nextElementSibling;
    for (const [id, box] of boxes) {
      let view = this.#views.get(id);
      if (!view) {
        view = makeView(id, box);
        this.#views.set(id, view);
      }
      place(view, box);
      // In the order in which screen readers go through them.
      if (next === view.element) next = next.nextElementSibling;
      else this.#boxes.insertBefore(view.element, next);
    }
    // One stop for the tab key; arrows move on from there.
    const stop = this.#views.get(hadFocus) ?? this.#views.values().next().value;
    for (const view of this.#views.values()) {
      setAttribute(view.element, 'tabindex', view === stop ? 0 : -1);
    }
    if (hadFocus && this.#views.has(hadFocus)) {
      this.#views.get(hadFocus).element.focus({ preventScroll: true });
    }
  }

  #drawLinks(model, traffic, selected) {
    const links = linksOf(this.#columns, model, traffic);
    const { paths, labels, left } = draw(this.#plan, links, selected);
    for (const [kind, path] of this.#paths) {
      if (paths.has(kind)) continue;
      path.remove();
      this.#paths.delete(kind);
    }
    for (const [kind, d] of paths) {
      let path = this.#paths.get(kind);
      if (!path) {
        path = makeSvg('path', { class: kind });
        this.#paths.set(kind, path);
      }
      setAttribute(path, 'd', d);
    }
    // Busy lines on top of idle ones, arrows on top of lines, what is selected on top of all.
    const order = (kind) => (kind.includes('selected') ? 2 : 0) + (kind.startsWith('arrow') ? 1 : 0);
    const kinds = Array.from(this.#paths.keys()).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
    this.#links.replaceChildren(...kinds.map((kind) => this.#paths.get(kind)), this.#labels);
    const hasSelection = kinds.some((kind) => kind.includes('selected'));
    setAttribute(this.#links, 'class', hasSelection ? 'links has-selection' : 'links');
    this.#labels.replaceChildren(
      ...labels.map(({ x, y, text, selected }) =>
        makeSvg('text', { x, y, class: selected ? 'selected' : '' }, text)),
    );
    return left;
  }

  /** Arrow keys: along the way of the packets, and among the nodes of a layer. */
  #move(event) {
    const keys = this.#plan?.down
      ? { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
      : { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = keys[event.key];
    const here = idAt(event);
    if (!step || !here || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const { column } = this.#plan.boxes.get(here);
    const index = this.#columns[column].ids.indexOf(here);
    const [columns, rows] = step;
    let target = column + columns;
    while (this.#columns[target]?.ids.length === 0) target += columns;
    const ids = this.#columns[target]?.ids;
    const next = ids?.[Math.min(index, ids.length - 1) + rows];
    const view = this.#views.get(next);
    if (!view) return;
    for (const other of this.#views.values()) setAttribute(other.element, 'tabindex', -1);
    setAttribute(view.element, 'tabindex', 0);
    view.element.focus();
  }
}

function idAt(event) {
  return event.target.closest?.('[data-id]')?.dataset.id ?? null;
}

/** The columns of the map: clients, the layers that are there, providers. */
function columnsOf(model) {
  const layers = new Map();
  for (const node of model.sorted('mixnode')) {
    if (!layers.has(node.layer)) layers.set(node.layer, []);
    layers.get(node.layer).push(node.id);
  }
  const columns = [{ title: 'CLIENTS', ids: [CLIENTS] }];
  for (const [layer, ids] of layers) {
    if (columns.length <= MAX_LAYERS) columns.push({ title: `LAYER ${layer}`, layer, ids });
    else {
      const last = columns[MAX_LAYERS];
      last.title = `LAYER ${last.layer} AND ABOVE`;
      last.ids = last.ids.concat(ids);
    }
  }
  columns.push({ title: 'PROVIDERS', ids: model.sorted('provider').map((node) => node.id) });
  return columns;
}

/** What was measured between nodes, what layer 1 received, and in a small network the ways that
 * nothing takes. */
function linksOf(columns, model, traffic) {
  const links = traffic.links
    .filter(({ to }) => to)
    .map(({ from, to, rate }) => ({ from: from.id, to: to.id, rate }));
  const used = new Set(links.map(({ from, to }) => `${from}\n${to}`));
  const [, first] = columns;
  if (first.layer === 1) {
    for (const id of first.ids) {
      const received = traffic.nodes.get(id)?.received ?? 0;
      if (received > 0) links.push({ from: CLIENTS, to: id, rate: received, inferred: true });
      used.add(`${CLIENTS}\n${id}`);
    }
  }
  const idle = [];
  for (let column = first.layer === 1 ? 0 : 1; column + 1 < columns.length; column += 1) {
    if (idle.length > MAX_IDLE) break;
    const [from, to] = [columns[column].ids, columns[column + 1].ids];
    if (from.length * to.length > MAX_IDLE) return links;
    for (const a of from) {
      for (const b of to) {
        const isGone = model.nodes.get(a)?.gone || model.nodes.get(b)?.gone;
        if (!used.has(`${a}\n${b}`) && !isGone) idle.push({ from: a, to: b, rate: 0 });
      }
    }
  }
  return idle.concat(links);
}

/** The elements of a box. What its density has no room for is there, but not shown. */
function makeView(id, box) {
  const view = {
    box,
    frame: makeSvg('rect', { class: 'frame', x: 0.5, y: 0.5, rx: box.density === 'card' ? 7 : 3 }),
    ring: makeSvg('circle', { class: 'ring', r: 7 }),
    glyph: makeSvg('text', { class: 'glyph', 'text-anchor': 'middle' }),
    name: makeSvg('text', { class: 'name' }),
    figure: makeSvg('text', { class: 'figure' }),
    note: makeSvg('text', { class: 'note' }),
    curve: makeSvg('path', { class: 'curve-bars' }),
    bar: makeSvg('rect', { class: 'bar', height: 3, rx: 1.5 }),
    heard: null,
    /** The rates of the last seconds. */
    past: [],
  };
  const { frame, ring, glyph, name, figure, note, curve, bar } = view;
  const parts = {
    card: [frame, ring, glyph, curve, name, figure, note, bar],
    line: [frame, ring, glyph, name, figure],
    cell: [frame, glyph],
  };
  view.element = makeSvg('svg', { 'data-id': id, tabindex: -1, role: 'button' }, ...parts[box.density]);
  return view;
}

function place(view, box) {
  view.box = box;
  const { width, height } = box;
  const { element, frame, ring, glyph, name, figure, note, bar } = view;
  for (const side of ['x', 'y', 'width', 'height']) setAttribute(element, side, box[side]);
  setAttribute(frame, 'width', width - 1);
  setAttribute(frame, 'height', height - 1);
  const put = (text, x, y) => {
    setAttribute(text, 'x', x);
    setAttribute(text, 'y', y);
  };
  if (box.density === 'card') {
    put(glyph, 14, 20);
    put(name, 26, 20);
    put(figure, 10, 38);
    put(note, 10, 54);
    setAttribute(bar, 'x', 6);
    setAttribute(bar, 'y', height - 6);
    ring.setAttribute('cx', 14);
    ring.setAttribute('cy', 16);
  } else if (box.density === 'line') {
    put(glyph, 10, 14);
    put(name, 20, 14);
    put(figure, width - 6, 14);
    setAttribute(figure, 'text-anchor', 'end');
    ring.setAttribute('cx', 10);
    ring.setAttribute('cy', 10);
  } else {
    put(glyph, width / 2, 10);
  }
}

function remember({ past }, received) {
  past.push(received);
  if (past.length > MAX_BARS) past.shift();
}

/** One bar for each second, the newest at the right, as high as the highest of them allows. */
function drawCurve({ past, box, curve }) {
  if (box.density !== 'card') return;
  const shown = past.slice(-Math.floor((box.width - BESIDE_BARS) / BAR));
  const most = Math.max(...shown);
  let d = '';
  shown.forEach((rate, index) => {
    const height = most > 0 ? Math.round((14 * rate) / most) : 0;
    const x = box.width - 8 - (shown.length - index) * BAR;
    if (height > 0) d += `M${x},39v${-height}h${BAR - 0.6}v${height}z`;
  });
  setAttribute(curve, 'd', d);
}

function drawClients(view, model, traffic) {
  const entering = enteringRate(model, traffic);
  setAttribute(view.element, 'class', 'box clients');
  setText(view.glyph, '◇');
  setText(view.name, 'clients');
  setText(view.figure, `${model.clients} registered`);
  setText(view.note, 'do not report');
  setAttribute(view.bar, 'width', 0);
  const label = `${plural(model.clients, 'client')} registered at providers; they do not report. Layer 1 receives ${rate(entering)}`;
  setAttribute(view.element, 'aria-label', label);
}

/** What layer 1 received per second: null if it reported nothing. */
export function enteringRate(model, traffic) {
  let entering = null;
  for (const [id, { received }] of traffic.nodes) {
    if (model.nodes.get(id)?.layer === 1) entering = (entering ?? 0) + received;
  }
  return entering;
}

function drawNode(view, node, model, traffic, now) {
  const { box } = view;
  const state = model.state(node, now);
  const rates = traffic.nodes.get(node.id);
  const age = now - (node.gone?.at ?? node.heard);
  // A heartbeat that arrived since the last drawing shows until the next.
  const beat = view.heard !== null && node.heard > view.heard;
  view.heard = node.heard;
  setAttribute(view.element, 'class', `box ${node.kind} ${state}${beat ? ' beat' : ''}`);
  setText(view.glyph, GLYPHS[state]);
  const received = rate(rates?.received);
  const name = nameOf(node);
  setAttribute(view.element, 'aria-label', `${name}, ${node.kind}, ${WORDS[state]}`);
  if (box.density === 'cell') return;
  if (box.density === 'line') {
    const figure = state === 'here' ? received : WORDS[state];
    const room = Math.floor((box.width - 26) / CHARACTER);
    const hasBoth = Math.min(name.length, SHORT_NAME) + 1 + figure.length <= room;
    setText(view.name, cut(name, hasBoth ? room - 1 - figure.length : room));
    setText(view.figure, hasBoth ? figure : '');
    return;
  }
  setText(view.name, cut(node.name || shortKey(node.key), Math.floor((box.width - 32) / CHARACTER)));
  const isWide = box.width >= 136;
  setText(view.figure, received);
  const ago = `${span(age)} ago`;
  if (state === 'late') setText(view.note, `late ${span(age)}`);
  else if (state === 'disallowed' && isWide && node.gone.at !== null) setText(view.note, `disallowed ${span(age)}`);
  else if (state === 'disallowed' || state === 'missing') setText(view.note, WORDS[state]);
  else if (node.gone) setText(view.note, `${WORDS[state]} ${ago}`);
  else if (!isWide) setText(view.note, `♥ ${span(age)}`);
  else if (node.clients === null) setText(view.note, `heard ${ago}`);
  else setText(view.note, `${plural(node.clients, 'client')} · ${span(age)}`);
  // Full when the directory will forget it.
  const part = node.gone ? 0 : Math.min(1, Math.max(0, age / FORGET_AFTER));
  setAttribute(view.bar, 'width', Math.round(part * (box.width - 12)));
}
