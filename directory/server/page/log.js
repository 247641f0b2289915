// The messages of `/ws` as they come: what the page of the original directory showed.

import { byId, copy, make, setText } from './dom.js';
import { count } from './format.js';

/** Lines that are kept: eight minutes of one mixnode. */
const MAX_LINES = 500;

/** Characters of a line that are shown. A mixnode of a 33×3 network with traffic on every link has
 * 1000. */
const MAX_LENGTH = 4000;

export class Log {
  #list = byId('log');
  #pause = byId('log-pause');
  #newest = byId('log-newest');
  /** Came since the last drawing. */
  #waiting = [];
  #paused = false;
  /** Whether the newest line stays in sight: until somebody scrolls up, who is reading there. */
  #follows = true;
  /** Its size when it was last scrolled by somebody or laid out anew. */
  #size = '';
  #seen = 0;
  #missed = 0;

  constructor() {
    this.#pause.addEventListener('click', () => {
      this.#paused = !this.#paused;
      this.#pause.setAttribute('aria-pressed', this.#paused);
      setText(this.#pause, this.#paused ? 'Go on' : 'Pause');
    });
    this.#newest.addEventListener('click', () => {
      this.#follows = true;
      this.#toEnd();
    });
    // Lines that wrap otherwise scroll it too. Whatever scrolls while the size stays is somebody.
    this.#list.addEventListener('scroll', () => {
      if (sizeOf(this.#list) === this.#size) this.#follows = isAtEnd(this.#list);
    });
    new ResizeObserver(() => {
      this.#size = sizeOf(this.#list);
      if (this.#follows) this.#toEnd();
    }).observe(this.#list);
    byId('log-clear').addEventListener('click', () => {
      this.#list.replaceChildren();
      this.#waiting = [];
      this.#missed = 0;
    });
    const button = byId('log-copy');
    button.addEventListener('click', () => {
      const lines = Array.from(this.#list.children, (line) => line.textContent);
      copy(button, lines.join('\n'), this.#list);
    });
  }

  /** Takes a message; it may carry several, one per line. */
  add(text) {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.#seen += 1;
      this.#waiting.push(line);
    }
    if (this.#waiting.length > MAX_LINES) {
      this.#missed += this.#waiting.length - MAX_LINES;
      this.#waiting = this.#waiting.slice(-MAX_LINES);
    }
  }

  /** Shows what has come, unless it is paused. `state` says how the connection is. */
  draw(state) {
    const list = this.#list;
    if (!this.#paused && this.#waiting.length > 0) {
      const lines = this.#waiting.map((line) => make('div', {}, shown(line)));
      if (this.#missed > 0) {
        lines.unshift(make('div', { class: 'muted' }, `… ${count(this.#missed)} lines not shown`));
      }
      this.#waiting = [];
      this.#missed = 0;
      list.append(...lines);
      while (list.childElementCount > MAX_LINES) list.firstElementChild.remove();
      if (this.#follows) this.#toEnd();
    }
    this.#newest.hidden = this.#follows;
    const waiting = this.#paused ? ` · paused, ${count(this.#waiting.length + this.#missed)} waiting` : '';
    setText(byId('log-state'), `${state} · ${count(this.#seen)} messages${waiting}`);
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < 24;
}

function sizeOf({ clientWidth, clientHeight }) {
  return `${clientWidth} ${clientHeight}`;
}

function shown(line) {
  if (line.length <= MAX_LENGTH) return line;
  return `${line.slice(0, MAX_LENGTH)}… (${count(line.length - MAX_LENGTH)} more characters)`;
}
