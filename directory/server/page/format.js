// Numbers, times and keys as people read them.

/** What stands where nothing is known. */
export const UNKNOWN = '–';

const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** A count or a rate in at most four digits: `0.4`, `6.2`, `62`, `1.2k`. */
export function short(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return UNKNOWN;
  let unit = 0;
  while (number >= 999.5 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  const digits = number < 9.95 && (unit > 0 || number % 1 !== 0) ? 1 : 0;
  return number.toFixed(digits) + UNITS[unit];
}

/** Packets per second. */
export function rate(number) {
  const text = short(number);
  return text === UNKNOWN ? text : `${text}/s`;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A count with all its digits. */
export function count(number) {
  return whole.format(number);
}

/** `1 client`, `2 clients`. */
export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

/** A span of time, given in milliseconds. */
export function span(milliseconds) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** The time of day, given milliseconds since 1970. */
export function timeOfDay(milliseconds) {
  return clock.format(milliseconds);
}

/** The first `length` characters of a text, the last of them `…` if some are missing. */
export function cut(text, length) {
  // By code points: half a surrogate pair would be drawn as a box.
  const characters = Array.from(text);
  if (characters.length <= length) return text;
  return characters.slice(0, Math.max(1, length - 1)).join('') + '…';
}

/** A key by its beginning and its end. */
export function shortKey(key) {
  const characters = Array.from(key);
  if (characters.length <= 13) return key;
  return `${characters.slice(0, 6).join('')}…${characters.slice(-4).join('')}`;
}
