/**
 * The element of the page with this id.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function elementById(id, kind) {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`The page has no ${id}`);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text = '') {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.textContent = text;
  return element;
}

/** `1:02:03` or `2:03`. @param {number} sec */
export function clockTime(sec) {
  const whole = Math.max(0, Math.floor(sec));
  const twoDigits = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const seconds = twoDigits(whole % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${seconds}` : `${minutes}:${seconds}`;
}

/** Everything behind the first option is made anew. @param {HTMLSelectElement} select @param {{ value: string, name: string }[]} choices */
export function fillSelect(select, choices) {
  const { value: chosen } = select;
  const options = choices.map(({ value, name }) => {
    const option = make('option', '', name);
    option.value = value;
    return option;
  });
  select.replaceChildren(...[...select.options].slice(0, 1), ...options);
  select.value = chosen;
}
