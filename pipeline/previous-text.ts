import type { ChunkResult } from './recognize-chunk.ts';
import type { ChunkFailure } from './retry-chunk.ts';

/** What was decoded above this temperature is too uncertain to go on from, as in OpenAI's decoder. */
const RESET_TEMPERATURE = 0.5;
/** About as much as fits before a window beside a prompt: the recogniser keeps the end. */
const MAX_CHARS = 600;

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

  /** The prompt of the next chunk: what is given always comes first. */
  after(prompt: string | null): string | null {
    return [prompt ?? '', this.#text].filter((text) => text !== '').join(' ') || null;
  }
}

function lastWords(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  const end = text.slice(-MAX_CHARS);
  const space = end.indexOf(' ');
  return space === -1 ? end : end.slice(space + 1);
}
