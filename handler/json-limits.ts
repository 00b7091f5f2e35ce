import { SttError } from '../core/errors.ts';

/** What a JSON text or value of a caller may hold; looked at before anything reads or validates it. */
export interface JsonLimits {
  /** Characters, without those of the fields in `AUDIO_FIELDS`. */
  readonly maxChars: number;
  /** Fields of one object, elements of one list. */
  readonly maxMembers: number;
  /** Fields and elements altogether. */
  readonly maxValues: number;
  readonly maxDepth: number;
}

/**
 * A job or a request of the service: beside the audio the most are the voices of `known_speakers`,
 * 64 lists of 1024 numbers.
 */
export const JOB_JSON: JsonLimits = {
  maxChars: 1024 * 1024,
  maxMembers: 1024,
  maxValues: 100_000,
  maxDepth: 16,
};

/** Base64 has limits of its own, and is read as one string. */
const AUDIO_FIELDS: ReadonlySet<string> = new Set(['audio_base64', 'audio_data', 'audio']);

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Passes a JSON text that keeps to the limits, in linear time and before any of it is parsed; a text
 * that is not JSON may pass too.
 * @throws {SttError} REQUEST_TOO_LARGE, INPUT_INVALID
 */
export function assertJsonText(text: string, limits: JsonLimits): void {
  const counter = new MemberCounter(limits);
  let audioChars = 0;
  let [stringStart, stringEnd] = [0, 0];
  let isAudio = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      [stringStart, stringEnd] = [at + 1, endOfString(text, at, limits)];
      if (isAudio) audioChars += stringEnd - stringStart;
      at = stringEnd;
    } else if (code === COLON) {
      isAudio = AUDIO_FIELDS.has(text.slice(stringStart, Math.min(stringEnd, stringStart + 16)));
    } else if (code === COMMA) {
      counter.add();
      isAudio = false;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      counter.open();
      counter.add(); // The first member; the others have their commas.
      isAudio = false;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      counter.close();
    }
    if (at - audioChars > limits.maxChars) throw tooLarge(limits);
  }
  if (text.length - audioChars > limits.maxChars) throw tooLarge(limits);
}

/**
 * As `assertJsonText`, for a value that somebody else has parsed; it ends at the first limit.
 * @throws {SttError} REQUEST_TOO_LARGE, INPUT_INVALID
 */
export function assertJsonValue(value: unknown, limits: JsonLimits): void {
  const counter = new MemberCounter(limits);
  let chars = 0;
  const visit = (item: unknown, field: string): void => {
    if (typeof item === 'string' && !AUDIO_FIELDS.has(field)) chars += item.length;
    if (chars > limits.maxChars) throw tooLarge(limits);
    if (typeof item !== 'object' || item === null) return;
    counter.open();
    if (Array.isArray(item)) {
      for (const element of item) {
        counter.add();
        visit(element, '');
      }
    } else {
      for (const name in item) {
        counter.add();
        chars += name.length;
        visit((item as Readonly<Record<string, unknown>>)[name], name);
      }
    }
    counter.close();
  };
  visit(value, '');
}

/** Most strings end within these characters, where a loop is faster than a search. */
const SHORT_CHARS = 64;

/**
 * Of the quote that ends the string, or the end of the text. A run of backslashes is seen once.
 * @throws {SttError} REQUEST_TOO_LARGE for quotes inside a string beyond the limit: audio has none.
 */
function endOfString(text: string, start: number, limits: JsonLimits): number {
  for (let at = nextQuote(text, start + 1); at !== -1; at = nextQuote(text, at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at;
    if (at - start > limits.maxChars) throw tooLarge(limits);
  }
  return text.length;
}

function nextQuote(text: string, from: number): number {
  const until = Math.min(from + SHORT_CHARS, text.length);
  for (let at = from; at < until; at++) if (text.charCodeAt(at) === QUOTE) return at;
  return text.indexOf('"', until);
}

/** Members by the lists and objects that are open. */
class MemberCounter {
  readonly #limits: JsonLimits;
  readonly #members: number[] = [];
  #values = 0;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  open(): void {
    this.#members.push(0);
    const { maxDepth } = this.#limits;
    if (this.#members.length > maxDepth) {
      throw new SttError('INPUT_INVALID', `The JSON is nested more than ${maxDepth} deep`);
    }
  }

  add(): void {
    const { maxMembers, maxValues } = this.#limits;
    const place = this.#members.length - 1;
    const members = (this.#members[place] ?? 0) + 1;
    if (place >= 0) this.#members[place] = members;
    this.#values += 1;
    if (members > maxMembers) {
      const message = `More than ${maxMembers} fields or elements stand in one object or list`;
      throw new SttError('INPUT_INVALID', message);
    }
    if (this.#values > maxValues) {
      throw new SttError('INPUT_INVALID', `The JSON holds more than ${maxValues} values`);
    }
  }

  close(): void {
    this.#members.pop();
  }
}

const tooLarge = ({ maxChars }: JsonLimits): SttError =>
  new SttError(
    'REQUEST_TOO_LARGE',
    `More than ${maxChars} characters of JSON, its audio not counted`,
  );
