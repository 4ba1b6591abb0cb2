/**
 * Elements of the page by their id, and new ones. Text is only ever set as text.
 *
 * Works in the page. May import nothing.
 */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no ${id}`);
  return element;
}

/** @param {string} id */
export const field = (id) => /** @type {HTMLInputElement} */ (byId(id));

/** @param {string} id */
export const choice = (id) => /** @type {HTMLSelectElement} */ (byId(id));

/**
 * Set a text, if it is another one: a screen reader says what changes.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
