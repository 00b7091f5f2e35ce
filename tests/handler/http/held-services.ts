import { setTimeout as sleep } from 'node:timers/promises';
import { fakeJobServices, fakeSegment, fakeTranscript } from '../../fakes/job-services.ts';

/** An engine that works until it is told to finish. */
export function heldServices() {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const services = fakeJobServices({
    transcribe: async (_waveform, _options, hooks, signal) => {
      hooks.onSegments?.([fakeSegment(0, 1.5, 'And so')]);
      await Promise.race([finished, sleep(60_000, undefined, { signal, ref: false })]);
      return fakeTranscript();
    },
  });
  return { services, finish: () => finish() };
}
