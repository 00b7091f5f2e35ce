import { afterEach, beforeEach, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { floatBytes, wavHeader } from '../../../handler/realtime/float-samples.ts';
import type { OpenSession } from '../../../handler/realtime/session-contracts.ts';
import { ScriptedRefinement } from '../../fakes/scripted-refinement.ts';
import { textOfLevels } from '../../fakes/spoken-levels.ts';
import { CALLER, Ear, FORMAT, SessionBench, SPEECH } from './session-bench.ts';

let bench: SessionBench;

beforeEach(async () => {
  bench = await SessionBench.open();
});
afterEach(() => bench.close());

const STREAM = Buffer.concat([wavHeader(SPEECH.length), floatBytes(SPEECH)]);
const STREAM_PIECE_BYTES = 16_000;
/** A decoder takes its time to start on a machine that has other work. */
const PATIENT = { timeout: 20_000 };

/** As `speak`, in the pieces of a container whose first bytes alone tell what it is. */
function speakStream({ intake }: OpenSession, untilSec = Number.POSITIVE_INFINITY): void {
  const until = Math.min(STREAM.length, untilSec * 64_000);
  for (let at = intake.receivedSeq * STREAM_PIECE_BYTES; at < until; at += STREAM_PIECE_BYTES) {
    intake.accept(STREAM.subarray(at, at + STREAM_PIECE_BYTES), intake.receivedSeq + 1);
  }
}

async function cutStream(keepsAudio: boolean) {
  const refinement = new ScriptedRefinement();
  const first = bench.sessions({ refinement });
  const ear = new Ear();
  const caller = { ...CALLER, keepsAudio };
  const format = { ...FORMAT, encoding: 'auto' } as const;
  const begun = await first.start(caller, {
    ...{ sessionId: 's', meetingId: 'm', language: 'en', format },
  });
  begun.host.listen(ear);
  speakStream(begun, 5);
  await expect.poll(() => ear.text, PATIENT).toMatch(/w4/);
  await expect.poll(() => begun.host.sampleCount, PATIENT).toBeGreaterThan(4.5 * SAMPLE_RATE_HZ);
  await first.close();
  const second = bench.sessions({ refinement });
  await second.restore();
  const session = await second.resume(caller, 's', begun.resumeToken);
  session.host.listen(ear, ear.lastSeq);
  speakStream(session);
  return { session, ear, refinement };
}

test('an encoded stream goes on after a restart where its audio is kept', async () => {
  const { session, ear, refinement } = await cutStream(true);
  await session.intake.flush();
  session.host.end('client');
  expect(await session.outcome).toMatchObject({ reason: 'client', error: null });
  expect(ear.text).toBe(textOfLevels(12));
  expect(refinement.handedOver).toMatchObject([{ bytes: STREAM.length }]);
});

test('where it is not kept, all that was said before the restart is final, and its client is told', async () => {
  const { session, ear } = await cutStream(false);
  const outcome = await session.outcome;
  expect(outcome).toMatchObject({ reason: 'error', error: { code: 'AUDIO_UNDECODABLE' } });
  expect(outcome.error?.message).toMatch(/start a new session/);
  expect(ear.text).toBe(textOfLevels(8));
});
