// Words and signs that every part of the page uses for the same thing.

import { shortKey } from './format.js';

/** A state is a sign, a word and a colour, so that nobody depends on colours. */
export const GLYPHS = { here: '●', late: '◐', missing: '◌', gone: '○', left: '○', disallowed: '⊘' };

/** What people read. */
export const WORDS = {
  here: 'here',
  late: 'late',
  missing: 'not announced',
  gone: 'gone',
  left: 'left',
  disallowed: 'disallowed',
};

/** What a node calls itself, or else its key. */
export function nameOf(node) {
  return node.name || shortKey(node.key);
}
