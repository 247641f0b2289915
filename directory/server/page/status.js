// Whether what is shown is true now: the state of the connection, and how it is noticed that a
// directory says nothing any more.

import { byId, setText } from './dom.js';
import { count, plural, rate, span, timeOfDay } from './format.js';
import { enteringRate } from './map.js';

/** A node beats every 1.5 s and is called late after 3.75, so that a directory with nodes is never
 * silent for so long. After it a question is asked. */
const SILENCE = 5000;

/** Stale when nothing has come for so long, not even an answer. */
const STALE_AFTER = 8000;

/** The connection is given up then, and made anew. */
const GIVE_UP_AFTER = 20_000;

/** Attempts that fail before it is asked why. */
const PATIENCE = 2;

/** How long a question may take. */
const ANSWER_WITHIN = 3000;

const GLYPHS = { connecting: '◌', live: '●', stale: '◐', reconnecting: '○' };

export class Status {
  #events;
  #model;
  #lastSign = performance.now();
  #asking = false;
  #refused = false;

  /** `events` is the connection to `/ws/events`. */
  constructor(events, model) {
    this.#events = events;
    this.#model = model;
    byId('retry').addEventListener('click', () => events.retryNow());
  }

  /** Something came. */
  sign() {
    this.#lastSign = performance.now();
  }

  /** The connection is in another phase. */
  changed() {
    if (this.#events.phase === 'open') {
      this.sign();
      this.#refused = false;
    }
    if (this.#events.phase === 'waiting' && this.#events.failures > PATIENCE) this.#askWhy();
  }

  get word() {
    const { phase, wasOpen } = this.#events;
    if (phase !== 'open') return wasOpen ? 'reconnecting' : 'connecting';
    return performance.now() - this.#lastSign > STALE_AFTER ? 'stale' : 'live';
  }

  /** Looks after the connection; to be called now and then. */
  check() {
    if (this.#events.phase !== 'open') return;
    const silence = performance.now() - this.#lastSign;
    if (silence > GIVE_UP_AFTER) this.#events.restart();
    else if (silence > SILENCE) this.#ask();
  }

  draw(traffic) {
    const { word } = this;
    const { phase, retryAt } = this.#events;
    if (document.body.dataset.connection !== word) document.body.dataset.connection = word;
    setText(byId('status-glyph'), GLYPHS[word]);
    setText(byId('status-word'), word);
    byId('retry').hidden = phase !== 'waiting' || retryAt - performance.now() < 1000;
    setText(byId('status-detail'), this.#detail(word, traffic));
    const notice = byId('notice');
    notice.hidden = !this.#refused;
    if (this.#refused) setText(notice, refusal());
  }

  #detail(word, traffic) {
    const model = this.#model;
    if (word === 'live') {
      const parts = [plural(model.present, 'node')];
      if (model.missing > 0) parts.push(`${count(model.missing)} not announced yet`);
      const entering = enteringRate(model, traffic);
      if (entering !== null) parts.push(`${rate(entering)} enter layer 1`);
      if (model.clients > 0) parts.push(plural(model.clients, 'client'));
      return parts.join(' · ');
    }
    const { phase, retryAt } = this.#events;
    const wait = Math.ceil((retryAt - performance.now()) / 1000);
    const parts = [];
    if (phase === 'waiting') parts.push(`again in ${Math.max(wait, 1)} s`);
    if (phase === 'connecting' && !model.isEmpty) parts.push('trying');
    if (!model.isEmpty) {
      const age = span(performance.now() - this.#lastSign);
      parts.push(`as of ${timeOfDay(model.lastTime)}, ${age} ago`);
    }
    return parts.join(' · ');
  }

  /** An answer counts for a directory without nodes, which has nothing to say. With nodes it would
   * only show that the stream is broken and not the directory. */
  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    if (await isThere() && this.#model.present === 0) this.sign();
    this.#asking = false;
  }

  /** A browser does not tell a page why a websocket was refused. */
  async #askWhy() {
    const answers = await isThere();
    this.#refused = answers && this.#events.phase !== 'open' && this.#events.failures > PATIENCE;
  }
}

async function isThere() {
  try {
    const answer = await fetch('api/healthcheck', { signal: AbortSignal.timeout(ANSWER_WITHIN) });
    return answer.ok;
  } catch {
    return false;
  }
}

function refusal() {
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
  return isLoopback
    ? 'The directory answers, but refuses its stream: perhaps it has as many subscribers as it takes. This page keeps trying.'
    : `The directory answers, but refuses its stream to pages of ${location.origin}. Start it with --allow-origin ${location.origin}, or open it under 127.0.0.1.`;
}
