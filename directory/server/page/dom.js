// The few ways in which this page touches the document. Texts of nodes come from strangers and go in
// as text only: nothing here, or anywhere in this page, reads markup.

const SVG = 'http://www.w3.org/2000/svg';

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** An element with attributes and children; a child that is no element becomes text. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for the names of SVG. */
export function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children);
  return element;
}

/** Sets a text unless it is there already: a text that is set anew is laid out anew. */
export function setText(element, text) {
  const string = String(text);
  if (element.textContent !== string) element.textContent = string;
}

/** Sets an attribute unless it is there already; null takes it away. */
export function setAttribute(element, name, value) {
  if (value === null) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

/** Puts a text on the clipboard, and says on the button how it went. Browsers have a clipboard only
 * for pages of this machine or over TLS; elsewhere `shown` is selected, ready to be copied by hand. */
export async function copy(button, text, shown) {
  const label = (button.dataset.label ??= button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    const range = document.createRange();
    range.selectNodeContents(shown);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = 'Selected: press Ctrl+C';
  }
  setTimeout(() => (button.textContent = label), 2000);
}
