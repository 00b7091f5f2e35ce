import type { ChunkResult } from './recognize-chunk.ts';
import type { ChunkFailure } from './retry-chunk.ts';

/** What was decoded above this temperature is too uncertain to go on from, as in OpenAI's decoder. */
const RESET_TEMPERATURE = 0.5;
/** More than any recogniser takes, in any script: how much fits is counted in its tokens. */
const MAX_CHARS = 1200;

/** What was said before a chunk, for recognisers that go on from it. */
export class PreviousText {
  #text = '';

  /** Takes what a chunk said; forgets everything where that was uncertain or failed. */
  add(result: ChunkResult | ChunkFailure): void {
    if ('error' in result || result.temperature > RESET_TEMPERATURE) {
      this.#text = '';
      return;
    }
    const said = result.segments.map(({ text }) => text);
    this.#text = lastWords([this.#text, ...said].filter((text) => text !== '').join(' '));
  }

  get text(): string {
    return this.#text;
  }
}

function lastWords(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  const end = text.slice(-MAX_CHARS);
  const space = end.indexOf(' ');
  return space === -1 ? end : end.slice(space + 1);
}
