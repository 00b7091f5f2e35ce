import { clockTime, elementById } from './elements.js';
import { onLanguageChange } from './page-language.js';
import { speakerName, speakersOf } from './speakers.js';

/** @typedef {import('./service.js').Segment} Segment */
/** @typedef {import('./peaks.js').Peaks} Peaks */

const PADDING_PX = 12;
const GUTTER_PX = 84;
const WAVE_PX = 64;
const LANE_PX = 18;
const BAR_PX = 8;
const AXIS_PX = 24;
const COLUMN_PX = 3;
const MIN_TICK_PX = 70;
const NAME_PX = GUTTER_PX - 10;
const TICKS_SEC = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Loudness over time, a lane for each speaker, and where the player is. */
export class Timeline {
  #canvas = elementById('wave', HTMLCanvasElement);
  /** @type {Segment[]} */
  #segments = [];
  /** @type {ReturnType<typeof speakersOf>} */
  #speakers = [];
  /** @type {Peaks | null} */
  #peaks = null;
  #durationSec = 0;
  #positionSec = 0;
  #isPending = false;

  /** @param {(sec: number) => void} onSeek */
  constructor(onSeek) {
    this.#canvas.addEventListener('click', ({ offsetX }) => {
      const share = (offsetX - this.#left) / this.#width;
      onSeek(Math.max(0, Math.min(share, 1)) * this.#durationSec);
    });
    new ResizeObserver(() => this.#redraw()).observe(this.#canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
    onLanguageChange(() => this.#redraw());
  }

  /** @param {{ segments: Segment[], peaks: Peaks | null, durationSec: number }} content */
  show({ segments, peaks, durationSec }) {
    if (segments !== this.#segments) this.#speakers = speakersOf(segments);
    this.#segments = segments;
    this.#peaks = peaks;
    this.#durationSec = Math.max(durationSec, 1);
    this.#redraw();
  }

  /** @param {number} sec */
  moveTo(sec) {
    if (sec === this.#positionSec) return;
    this.#positionSec = sec;
    this.#redraw();
  }

  get #left() {
    return PADDING_PX + (this.#speakers.length > 0 ? GUTTER_PX : 0);
  }

  get #width() {
    return this.#canvas.clientWidth - this.#left - PADDING_PX;
  }

  /** @param {number} sec */
  #x(sec) {
    return this.#left + (sec / this.#durationSec) * this.#width;
  }

  #redraw() {
    if (this.#isPending) return;
    this.#isPending = true;
    requestAnimationFrame(() => {
      this.#isPending = false;
      this.#draw();
    });
  }

  #draw() {
    const speakers = this.#speakers;
    const height = PADDING_PX + WAVE_PX + speakers.length * LANE_PX + AXIS_PX;
    const canvas = this.#canvas;
    if (canvas.clientWidth === 0) return;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const paper = canvas.getContext('2d');
    if (paper === null) return;
    paper.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(document.body);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`);
    const colours = new Map(speakers.map(({ id, colour: at }) => [id, colour(`speaker-${at}`)]));
    paper.font = `12px ${style.fontFamily}`;
    paper.textBaseline = 'middle';
    this.#drawWave(paper, colours, colour('wave'));
    this.#drawLanes(paper, colours, colour('line'));
    this.#drawAxis(paper, height, { line: colour('line'), text: colour('muted') });
    if (this.#positionSec > 0) {
      paper.fillStyle = colour('ink');
      paper.fillRect(this.#x(this.#positionSec) - 1, 4, 2, height - AXIS_PX - 4);
    }
  }

  /** @param {CanvasRenderingContext2D} paper @param {Map<string, string>} colours @param {string} silent */
  #drawWave(paper, colours, silent) {
    const middle = PADDING_PX + WAVE_PX / 2;
    const columns = Math.floor(this.#width / COLUMN_PX);
    const secPerColumn = this.#durationSec / columns;
    const levels = Array.from({ length: columns }, (_, column) =>
      this.#peaks ? this.#peaks.loudest(column * secPerColumn, (column + 1) * secPerColumn) : 0,
    );
    const loudest = levels.reduce((most, level) => Math.max(most, level), 0.05);
    const knownSec = this.#peaks?.durationSec ?? Infinity;
    let at = 0;
    for (const [column, level] of levels.entries()) {
      const sec = (column + 0.5) * secPerColumn;
      if (sec > knownSec) break;
      while ((this.#segments[at]?.end ?? Infinity) <= sec) at++;
      const segment = this.#segments[at];
      const speaker = segment !== undefined && segment.start <= sec ? segment.speaker : undefined;
      const half = Math.max(1, (level / loudest) * (WAVE_PX / 2 - 2));
      paper.fillStyle = colours.get(speaker ?? '') ?? silent;
      paper.fillRect(this.#left + column * COLUMN_PX, middle - half, COLUMN_PX - 1, half * 2);
    }
  }

  /** @param {CanvasRenderingContext2D} paper @param {Map<string, string>} colours @param {string} line */
  #drawLanes(paper, colours, line) {
    for (const [index, [id, colour]] of [...colours].entries()) {
      const middle = PADDING_PX + WAVE_PX + index * LANE_PX + LANE_PX / 2;
      paper.fillStyle = line;
      paper.fillRect(this.#left, middle - 0.5, this.#width, 1);
      paper.fillStyle = colour;
      paper.textAlign = 'left';
      paper.fillText(shortened(speakerName(id), paper), PADDING_PX, middle);
      for (const { start, end, speaker } of this.#segments) {
        if (speaker !== id) continue;
        const left = this.#x(start);
        paper.fillRect(left, middle - BAR_PX / 2, Math.max(2, this.#x(end) - left - 1), BAR_PX);
      }
    }
  }

  /** @param {CanvasRenderingContext2D} paper @param {number} height @param {{ line: string, text: string }} colours */
  #drawAxis(paper, height, colours) {
    const secPerPx = this.#durationSec / this.#width;
    const step = TICKS_SEC.find((sec) => sec / secPerPx >= MIN_TICK_PX) ?? 7200;
    const top = height - AXIS_PX;
    paper.textAlign = 'center';
    for (let sec = 0; sec <= this.#durationSec; sec += step) {
      paper.fillStyle = colours.line;
      paper.fillRect(this.#x(sec), top, 1, 4);
      paper.fillStyle = colours.text;
      paper.textAlign =
        sec === 0 ? 'left' : this.#x(sec) > this.#left + this.#width - 20 ? 'right' : 'center';
      paper.fillText(clockTime(sec), this.#x(sec), top + 13);
    }
  }
}

/** A name that is too long for its place ends in an ellipsis. @param {string} name @param {CanvasRenderingContext2D} paper */
function shortened(name, paper) {
  if (paper.measureText(name).width <= NAME_PX) return name;
  const letters = [...name];
  while (letters.length > 1 && paper.measureText(`${letters.join('')}…`).width > NAME_PX) {
    letters.pop();
  }
  return `${letters.join('')}…`;
}
