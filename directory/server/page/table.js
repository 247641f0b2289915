// The table of nodes: everything the directory lists, in any order.

import { byId, make, setAttribute, setText } from './dom.js';
import { UNKNOWN, count, cut, rate, shortKey, span } from './format.js';
import { GLYPHS, WORDS, nameOf } from './words.js';

/** Rows that are shown unless all are asked for: all nodes of a large devnet. */
const MAX_ROWS = 150;

/** More rows than these show their ages and rates anew only every second: a browser lays a whole
 * table out when one cell changes. */
const FEW_ROWS = 40;
const REFRESH_EVERY = 1000;

/** Milliseconds between two sortings by something that always changes: rows that jump about under
 * the pointer cannot be read. */
const SORT_EVERY = 2000;

/** Characters of a text from strangers; the whole one is in the node's card. */
const MAX_TEXT = 40;

const texts = new Intl.Collator('en', { numeric: true });
const KINDS = ['mixnode', 'provider', 'validator'];
const byText = (value) => (a, b) => texts.compare(value(a), value(b));
const byNumber = (value) => (a, b) => value(a) - value(b);

/** `moves`: its values change without anybody joining or leaving. */
const COLUMNS = [
  { name: 'Name', compare: byText(({ node }) => nameOf(node)) },
  { name: 'State', compare: byText(({ state }) => state), moves: true },
  {
    name: 'Role',
    compare: (a, b) =>
      KINDS.indexOf(a.node.kind) - KINDS.indexOf(b.node.kind) ||
      (a.node.layer ?? 0) - (b.node.layer ?? 0) ||
      texts.compare(nameOf(a.node), nameOf(b.node)),
  },
  { name: 'Layer', number: true, compare: byNumber(({ node }) => node.layer ?? Infinity) },
  { name: 'Heartbeat', number: true, compare: byNumber(({ age }) => age), moves: true },
  { name: 'In', number: true, compare: byNumber(({ rates }) => rates?.received ?? -1), moves: true },
  { name: 'Out', number: true, compare: byNumber(({ rates }) => rates?.sent ?? -1), moves: true },
  { name: 'Clients', number: true, compare: byNumber(({ node }) => node.clients ?? -1) },
  { name: 'Address', compare: byText(({ node }) => node.address) },
  { name: 'Version', compare: byText(({ node }) => node.version) },
  { name: 'Key', compare: byText(({ node }) => node.key) },
];

export class Table {
  #body = byId('table').tBodies[0];
  #headings = [];
  #rows = new Map();
  #order = [];
  #by = COLUMNS[2];
  #descending = false;
  #sortedAt = 0;
  #drawnAt = 0;
  #selected = null;
  #revision = -1;
  #showAll = false;

  /** `choose(id)` is called when a node's name is clicked. */
  constructor(choose) {
    const row = byId('table').tHead.rows[0];
    for (const column of COLUMNS) {
      const sign = make('span', { class: 'sort', 'aria-hidden': 'true' });
      const button = make('button', { type: 'button' }, column.name, sign);
      const heading = make('th', { scope: 'col', class: column.number ? 'number' : '' }, button);
      button.addEventListener('click', () => this.#sortBy(column));
      this.#headings.push({ column, heading, sign });
      row.append(heading);
    }
    this.#body.addEventListener('click', (event) => {
      const id = event.target.closest('tr')?.dataset.id;
      if (id) choose(id);
    });
    byId('show-all').addEventListener('click', () => {
      this.#showAll = !this.#showAll;
      this.#revision = -1;
    });
  }

  draw(model, traffic, now, selected) {
    const isDue = this.#by.moves && now - this.#sortedAt > SORT_EVERY;
    if (this.#revision !== model.revision || isDue) {
      this.#revision = model.revision;
      this.#sortedAt = now;
      this.#arrange(model, traffic, now);
    } else if (this.#order.length > FEW_ROWS && Math.abs(now - this.#drawnAt) < REFRESH_EVERY) {
      if (this.#selected === selected) return;
    }
    this.#drawnAt = now;
    this.#selected = selected;
    for (const id of this.#order) {
      const row = this.#rows.get(id);
      const node = model.nodes.get(id);
      const state = model.state(node, now);
      setAttribute(row.element, 'class', `${state}${id === selected ? ' selected' : ''}`);
      setText(row.glyph, GLYPHS[state]);
      setAttribute(row.glyph, 'class', `state ${state}`);
      setText(row.word, WORDS[state]);
      setText(row.age, state === 'disallowed' ? UNKNOWN : `${span(now - node.heard)} ago`);
      const rates = traffic.nodes.get(id);
      setText(row.received, node.gone ? '' : rate(rates?.received));
      setText(row.sent, node.gone ? '' : rate(rates?.sent));
    }
  }

  #sortBy(column) {
    this.#descending = this.#by === column && !this.#descending;
    this.#by = column;
    this.#revision = -1;
  }

  #arrange(model, traffic, now) {
    const facts = Array.from(model.nodes.values(), (node) => ({
      node,
      state: model.state(node, now),
      age: node.gone?.how === 'disallowed' ? Infinity : now - node.heard,
      rates: traffic.nodes.get(node.id),
    }));
    const { compare } = this.#by;
    const sign = this.#descending ? -1 : 1;
    facts.sort((a, b) => sign * compare(a, b) || COLUMNS[2].compare(a, b));
    const shown = this.#showAll ? facts : facts.slice(0, MAX_ROWS);
    this.#order = shown.map(({ node }) => node.id);
    const stays = new Set(this.#order);
    for (const [id, row] of this.#rows) {
      if (stays.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let next = this.#body.firstElementChild;
    for (const { node } of shown) {
      let row = this.#rows.get(node.id);
      if (!row) {
        row = makeRow(node.id);
        this.#rows.set(node.id, row);
      }
      fillRow(row, node);
      // A row that is moved loses the keyboard's focus, so that only those move that must.
      if (next === row.element) next = next.nextElementSibling;
      else this.#body.insertBefore(row.element, next);
    }
    byId('table-empty').hidden = facts.length > 0;
    setText(byId('nodes-count'), model.present > 0 ? count(model.present) : '');
    const button = byId('show-all');
    button.hidden = facts.length <= MAX_ROWS;
    setText(button, this.#showAll ? `Show ${MAX_ROWS} only` : `Show all ${count(facts.length)}`);
    for (const { column, heading, sign: arrow } of this.#headings) {
      const isMine = column === this.#by;
      setAttribute(heading, 'aria-sort', isMine ? (this.#descending ? 'descending' : 'ascending') : null);
      setText(arrow, isMine ? (this.#descending ? ' ▼' : ' ▲') : '');
    }
  }
}

function makeRow(id) {
  const row = {
    name: make('bdi'),
    glyph: make('span', { 'aria-hidden': 'true' }),
    word: make('span'),
    role: make('td'),
    layer: make('td', { class: 'number' }),
    age: make('td', { class: 'number mono' }),
    received: make('td', { class: 'number mono' }),
    sent: make('td', { class: 'number mono' }),
    clients: make('td', { class: 'number mono' }),
    address: make('bdi'),
    version: make('bdi'),
    key: make('bdi'),
  };
  const button = make('button', { type: 'button', class: 'name' }, row.name);
  row.element = make('tr', { 'data-id': id },
    make('th', { scope: 'row' }, button),
    make('td', {}, row.glyph, ' ', row.word),
    row.role, row.layer, row.age, row.received, row.sent, row.clients,
    make('td', { class: 'mono' }, row.address),
    make('td', { class: 'mono' }, row.version),
    make('td', { class: 'mono' }, row.key),
  );
  return row;
}

/** What changes only when the node announces something else. */
function fillRow(row, node) {
  setText(row.name, cut(nameOf(node), MAX_TEXT));
  setText(row.role, node.kind);
  setText(row.layer, node.layer ?? '');
  setText(row.clients, node.clients ?? '');
  setText(row.address, cut(node.address, MAX_TEXT));
  setText(row.version, cut(node.version, 16));
  setText(row.key, shortKey(node.key));
  setAttribute(row.key, 'title', node.key);
}
