// A websocket that comes back by itself.

/** Waits between attempts, in milliseconds: soon at first, then at leisure. A directory on the same
 * machine is back within a second; the last is what a person waits without wondering. */
const BACK_OFF = [250, 500, 1000, 2000, 4000];

/** An attempt that is neither answered nor refused is given up after so many milliseconds. */
const CONNECT_WITHIN = 10_000;

export class Connection {
  /** `connecting`, `open`, or `waiting` for the next attempt. */
  phase = 'connecting';
  /** When the next attempt is made, by `performance.now()`. */
  retryAt = 0;
  /** Attempts that failed since it was last open. */
  failures = 0;
  /** Whether it was ever open. */
  wasOpen = false;

  #path;
  #heard;
  #changed;
  #socket = null;
  #timer = 0;

  /** `heard(text)` takes each frame, `changed()` is told of each new phase. */
  constructor(path, heard, changed) {
    this.#path = path;
    this.#heard = heard;
    this.#changed = changed;
  }

  /** Makes the first attempt. */
  start() {
    this.#connect();
  }

  /** Tries again now instead of later. */
  retryNow() {
    if (this.phase !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Gives up a connection that brings nothing any more, and makes a new one. */
  restart() {
    this.#lost();
  }

  #connect() {
    const url = new URL(this.#path, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(), CONNECT_WITHIN);
    this.#enter('connecting');
    // An event of a socket that was given up is nobody's any more.
    const mine = (handle) => (event) => socket === this.#socket && handle(event);
    socket.addEventListener('open', mine(() => {
      clearTimeout(this.#timer);
      this.failures = 0;
      this.wasOpen = true;
      this.#enter('open');
    }));
    socket.addEventListener('message', mine(({ data }) => this.#heard(data)));
    // After an error comes a close too.
    socket.addEventListener('close', mine(() => this.#lost()));
  }

  #lost() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    const wait = BACK_OFF[Math.min(this.failures, BACK_OFF.length - 1)];
    this.failures += 1;
    this.retryAt = performance.now() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#enter('waiting');
  }

  #enter(phase) {
    this.phase = phase;
    this.#changed();
  }
}
