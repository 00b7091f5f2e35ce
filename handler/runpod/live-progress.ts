import type { JobContext, WorkerProgress } from '../job.ts';
import type { WireSegment } from '../wire-segment.ts';

/** Progress is posted again and again; what is told early is worth this much of each post. */
const MAX_SEGMENT_BYTES = 64 * 1024;

/** A job's context on a worker, whose progress also tells what is known of the result by now. */
export function tellingEarly(context: JobContext): JobContext & {
  onSegments(segments: readonly WireSegment[]): void;
} {
  const latest = new LatestSegments();
  let audioSec: number | undefined;
  return {
    ...context,
    onAudio: (sec) => {
      audioSec = sec;
      context.onAudio?.(sec);
    },
    onSegments: (segments) => latest.add(segments),
    onProgress: (progress) => {
      const isAtEnd = progress.fraction === 1; // the result comes next, and with all of it
      const told: WorkerProgress = {
        ...progress,
        ...(audioSec !== undefined && { audio_sec: audioSec }),
        ...(latest.count > 0 && !isAtEnd && { segments: latest.told() }),
      };
      context.onProgress(told);
    },
  };
}

/** The last segments of many, up to a size. */
class LatestSegments {
  #first = 0;
  #bytes = 0;
  readonly #segments: { readonly segment: WireSegment; readonly bytes: number }[] = [];

  get count(): number {
    return this.#segments.length;
  }

  add(segments: readonly WireSegment[]): void {
    for (const segment of segments) {
      const bytes = Buffer.byteLength(JSON.stringify(segment));
      this.#segments.push({ segment, bytes });
      this.#bytes += bytes;
    }
    while (this.#bytes > MAX_SEGMENT_BYTES) {
      this.#bytes -= this.#segments.shift()?.bytes ?? this.#bytes;
      this.#first += 1;
    }
  }

  told() {
    return { first: this.#first, latest: this.#segments.map(({ segment }) => segment) };
  }
}
