import type { WorkerProgress } from '../job.ts';
import type { ExecutionContext } from '../jobs/contracts.ts';
import type { WireSegment } from '../wire-segment.ts';

type Watched = Pick<ExecutionContext, 'onProgress' | 'onAudio' | 'onSegments'>;

/**
 * Takes a worker's progress apart for whoever watches the job, and keeps the promises of its context
 * when the job begins anew, on another worker or here: progress never falls, a segment is told once.
 */
export class RemoteProgress {
  readonly #context: Watched;
  #highest = -1;
  #segmentsTold = 0;
  #isAudioTold = false;

  constructor(context: Watched) {
    this.#context = context;
  }

  /** @throws what the context throws where the recording is longer than its tenant may use. */
  readonly onProgress = ({ stage, fraction, audio_sec, segments }: WorkerProgress): void => {
    if (audio_sec !== undefined && !this.#isAudioTold) {
      this.#isAudioTold = true;
      this.#context.onAudio?.(audio_sec);
    }
    if (segments !== undefined) this.#tell(segments.first, segments.latest);
    if (fraction <= this.#highest) return;
    this.#highest = fraction;
    this.#context.onProgress({ stage, fraction });
  };

  /** For a run from the beginning in this process. */
  local(): Pick<ExecutionContext, 'onProgress' | 'onSegments'> {
    let count = 0;
    return {
      onProgress: this.onProgress,
      onSegments: (segments) => {
        this.#tell(count, segments);
        count += segments.length;
      },
    };
  }

  #tell(first: number, segments: readonly WireSegment[]): void {
    const fresh = segments.slice(Math.max(0, this.#segmentsTold - first));
    this.#segmentsTold = Math.max(this.#segmentsTold, first + segments.length);
    if (fresh.length > 0) this.#context.onSegments?.(fresh);
  }
}
