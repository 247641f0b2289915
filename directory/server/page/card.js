// The node that is selected or pointed at, with everything the directory knows of it.

import { copy, make, setAttribute, setText } from './dom.js';
import { plural, rate, span, timeOfDay } from './format.js';
import { FORGET_AFTER } from './model.js';
import { GLYPHS, WORDS, nameOf } from './words.js';

/** Next hops that are listed, the busiest first. */
const MAX_HOPS = 8;

export class Card {
  #container;
  #hint = make('p', { class: 'muted' },
    'Point at a node to see its key, its addresses and where it sends; click to keep it. With the keyboard: Tab, then arrow keys.');
  #body = make('div', { class: 'card-body' });
  #glyph = make('span', { 'aria-hidden': 'true' });
  #name = make('bdi', { class: 'card-name' });
  #state = make('span');
  #rows = new Map();
  #list = make('dl');
  #copy = make('button', { type: 'button' }, 'Copy key');

  constructor(container) {
    this.#container = container;
    const head = make('p', { class: 'card-head' }, this.#glyph, ' ', this.#name, ' ', this.#state);
    for (const term of ['key', 'heartbeat', 'packets', 'takes packets at', 'takes clients at', 'version', 'passes on to']) {
      const value = make('dd');
      const row = make('div', {}, make('dt', {}, term), value);
      this.#rows.set(term, { row, value });
      this.#list.append(row);
    }
    const key = this.#rows.get('key').value;
    const text = make('bdi', { class: 'mono key' });
    key.append(text, ' ', this.#copy);
    this.#copy.addEventListener('click', () => copy(this.#copy, text.textContent, text));
    this.#rows.get('key').value = text;
    for (const term of ['takes packets at', 'takes clients at', 'version']) {
      const bdi = make('bdi', { class: 'mono' });
      this.#rows.get(term).value.append(bdi);
      this.#rows.get(term).value = bdi;
    }
    this.#body.append(head, this.#list);
    container.append(this.#hint, this.#body);
  }

  draw(model, traffic, now, id) {
    const node = id ? model.nodes.get(id) : null;
    this.#hint.hidden = Boolean(node);
    this.#body.hidden = !node;
    if (!node) return;
    const state = model.state(node, now);
    setText(this.#glyph, GLYPHS[state]);
    setAttribute(this.#glyph, 'class', `state ${state}`);
    setText(this.#name, nameOf(node));
    const place = node.layer === null ? node.kind : `${node.kind}, layer ${node.layer}`;
    setText(this.#state, `${sinceWhen(node, state, now)} · ${place}`);
    const rates = traffic.nodes.get(node.id);
    this.#set('key', node.key);
    this.#set('heartbeat', heartbeat(node, now));
    this.#set('packets', packets(node, rates));
    this.#set('takes packets at', node.address);
    this.#set('takes clients at', Array.from(new Set(Object.values(node.listeners))).join(' and '));
    this.#set('version', node.version);
    this.#hops(traffic.links.filter((link) => link.from.id === node.id));
  }

  #set(term, text) {
    const { row, value } = this.#rows.get(term);
    row.hidden = text === '';
    setText(value, text);
  }

  #hops(links) {
    const { row, value } = this.#rows.get('passes on to');
    row.hidden = links.length === 0;
    const busiest = links.sort((a, b) => b.rate - a.rate);
    const items = busiest.slice(0, MAX_HOPS).map(({ to, address, rate: perSecond }) =>
      make('span', { class: 'hop' },
        make('bdi', {}, to ? nameOf(to) : address), ` ${rate(perSecond)}${to ? '' : ' (not listed)'}`));
    if (busiest.length > MAX_HOPS) items.push(`and ${busiest.length - MAX_HOPS} more`);
    value.replaceChildren(...items);
  }
}

function sinceWhen({ gone }, state, now) {
  return state === 'disallowed' && gone.at !== null ? `disallowed ${span(now - gone.at)}` : WORDS[state];
}

function heartbeat(node, now) {
  const heard = span(now - node.heard);
  // It may beat as ever: the directory tells nobody.
  if (node.gone?.how === 'disallowed') return 'not told while it is kept out of the topology';
  if (node.missing) return `last heard ${heard} ago; not announced since the directory came back`;
  if (node.gone) {
    const how = {
      gone: 'the directory has forgotten it',
      left: 'it said that it leaves',
    };
    return `last heard ${heard} ago, at ${timeOfDay(node.heard)}; ${how[node.gone.how]}`;
  }
  const rest = Math.max(0, FORGET_AFTER - (now - node.heard));
  return `heard ${heard} ago; without another the directory forgets it in ${span(rest)}`;
}

function packets(node, rates) {
  if (node.kind === 'validator' || node.gone?.how === 'disallowed') return '';
  if (!rates) return 'nothing reported in the last seconds';
  if (node.kind === 'provider') {
    return `in ${rate(rates.received)} by the reports of mixnodes; providers report nothing · ${plural(node.clients ?? 0, 'registered client')}`;
  }
  return `in ${rate(rates.received)} · out ${rate(rates.sent)}`;
}
