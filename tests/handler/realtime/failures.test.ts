import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { type ErrorCode, SttError } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type { LiveWireEvent } from '../../../handler/realtime/live-events.ts';
import type { SessionListener } from '../../../handler/realtime/live-host-ports.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import type {
  LiveSessionsOptions,
  OpenSession,
} from '../../../handler/realtime/session-contracts.ts';
import { ScriptedRefinement } from '../../fakes/scripted-refinement.ts';
import {
  levelRecognizer,
  levelVoiceActivity,
  spokenLevels,
  textOfLevels,
} from '../../fakes/spoken-levels.ts';

const CALLER = { tenant: 't', keepsAudio: true };
const FORMAT = { encoding: 'float32', sampleRateHz: SAMPLE_RATE_HZ } as const;
const SPEECH = spokenLevels(12);
const PIECE_SAMPLES = SAMPLE_RATE_HZ / 4;
const PATIENT = { timeoutMs: 5000, patienceMs: 10_000, backoffMs: 2 };
const logger = createLogger('silent', { write: () => {} });
const outage = (): SttError => new SttError('ENDPOINT_UNAVAILABLE', 'Nobody answers');
let dataDir: string;
const opened: LiveSessions[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stt-failures-'));
});
afterEach(async () => {
  for (const sessions of opened.splice(0)) await sessions.close();
  await rm(dataDir, { recursive: true });
});

function openSessions(options: Partial<LiveSessionsOptions> = {}): LiveSessions {
  const sessions = new LiveSessions({
    recognizer: levelRecognizer(),
    voiceActivity: levelVoiceActivity(),
    timing: PATIENT,
    ...{ logger, dataDir },
    ...options,
  });
  opened.push(sessions);
  return sessions;
}

const start = (sessions: LiveSessions) =>
  sessions.start(CALLER, { sessionId: 's', meetingId: 'm', language: 'en', format: FORMAT });

/** What the client of a session knows, over all its sockets. */
class Ear implements SessionListener {
  readonly events: LiveWireEvent[] = [];
  readonly delays: ErrorCode[] = [];
  acknowledged = 0;

  onEvent(event: LiveWireEvent): void {
    this.events.push(event);
  }
  onAcknowledged(chunkSeq: number): void {
    this.acknowledged = chunkSeq;
  }
  onDelayed(code: ErrorCode): void {
    this.delays.push(code);
  }
  onReplaced(): void {}

  get lastSeq(): number {
    return this.events.flatMap((event) => ('event_seq' in event ? [event.event_seq] : [])).length;
  }
  get text(): string {
    const finals = this.events.filter(({ type }) => type === 'transcript_final');
    return finals
      .map((event) => ('text' in event ? event.text : ''))
      .join('')
      .trim();
  }
  get gaps(): number {
    return this.events.filter(({ type }) => type === 'transcript_gap').length;
  }
}

/** Says all that has not arrived, and no more than `untilSec`. */
function speak({ intake }: OpenSession, untilSec = Number.POSITIVE_INFINITY): void {
  const until = Math.min(SPEECH.length, untilSec * SAMPLE_RATE_HZ);
  for (let seq = intake.receivedSeq + 1; seq * PIECE_SAMPLES <= until; seq++) {
    const samples = SPEECH.subarray((seq - 1) * PIECE_SAMPLES, seq * PIECE_SAMPLES);
    intake.accept(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength), seq);
  }
}

async function heardToTheEnd(session: OpenSession, ear: Ear) {
  session.host.listen(ear, ear.lastSeq);
  speak(session);
  await session.intake.flush();
  session.host.end('client');
  return await session.outcome;
}

/** A folder where the session's file has to be written first; it may be there at this moment. */
async function obstructWriting(): Promise<string> {
  const [folder] = await readdir(join(dataDir, 'realtime'));
  const obstacle = join(dataDir, 'realtime', folder!, 'session.json.new');
  const isMade = (): Promise<boolean> =>
    mkdir(obstacle).then(
      () => true,
      () => false,
    );
  await expect.poll(isMade, { interval: 1 }).toBe(true);
  return obstacle;
}

test('an outage of whoever recognises is waited out: told once, nothing lost', async () => {
  let failures = 10;
  const recognizer = levelRecognizer(() => (failures-- > 0 ? outage() : undefined));
  const session = await start(openSessions({ recognizer }));
  const ear = new Ear();
  expect(await heardToTheEnd(session, ear)).toMatchObject({ reason: 'client', error: null });
  expect(ear.text).toBe(textOfLevels(12));
  expect([ear.gaps, ear.delays]).toEqual([0, ['ENDPOINT_UNAVAILABLE']]);
});

test('what nobody recognises for longer than the patience is a gap, and the session goes on', async () => {
  let isDown = true;
  const recognizer = levelRecognizer(() => (isDown ? outage() : undefined));
  const session = await start(openSessions({ recognizer, timing: { ...PATIENT, patienceMs: 20 } }));
  const ear = new Ear();
  session.host.listen(ear);
  speak(session, 3);
  await expect.poll(() => ear.gaps).toBe(1);
  isDown = false;
  await heardToTheEnd(session, ear);
  expect(ear.text).toBe('w5 w6 w7 w8 w9 w10 w11 w12');
});

test('a window that is refused again and again is a gap long before the patience ends', async () => {
  const recognizer = levelRecognizer(() => new SttError('AUDIO_UNDECODABLE', 'No audio'));
  const session = await start(openSessions({ recognizer }));
  const ear = new Ear();
  await heardToTheEnd(session, ear);
  expect(ear.gaps).toBeGreaterThan(0);
  expect(ear.text).toBe('');
});

test('the network that hears speech may fail at any time', async () => {
  const crashed = (): SttError => new SttError('ENGINE_CRASHED', 'It died');
  const failures: Error[] = [];
  const session = await start(openSessions({ voiceActivity: levelVoiceActivity(failures) }));
  const ear = new Ear();
  session.host.listen(ear);
  for (const second of [1, 2.25, 4, 6.5]) {
    failures.push(crashed(), crashed());
    speak(session, second);
    await expect.poll(() => failures.length).toBe(0);
  }
  failures.push(crashed());
  await heardToTheEnd(session, ear);
  expect(ear.text).toBe(textOfLevels(12));
});

test('a disk that takes nothing acknowledges nothing, and all of it once it works again', async () => {
  const session = await start(openSessions());
  const ear = new Ear();
  session.host.listen(ear);
  speak(session, 2);
  await expect.poll(() => ear.acknowledged).toBe(8);
  const obstacle = await obstructWriting();
  speak(session, 4);
  await expect.poll(() => ear.delays.length).toBe(1);
  expect(ear.acknowledged).toBe(8);
  await rm(obstacle, { recursive: true });
  await heardToTheEnd(session, ear);
  expect(ear.text).toBe(textOfLevels(12));
});

test('a session whose disk fails for too long is suspended, and goes on when its client returns', async () => {
  const sessions = openSessions({ timing: { ...PATIENT, patienceMs: 10 } });
  const session = await start(sessions);
  const ear = new Ear();
  session.host.listen(ear);
  speak(session, 2);
  await expect.poll(() => ear.acknowledged).toBe(8);
  const obstacle = await obstructWriting();
  speak(session, 5);
  await expect(session.outcome).rejects.toMatchObject({ name: 'SttError' });
  await rm(obstacle, { recursive: true });
  const resumed = await sessions.resume(CALLER, 's', session.resumeToken);
  expect(resumed.intake.receivedSeq).toBe(8);
  expect(resumed.host.epoch).toBe(2);
  await heardToTheEnd(resumed, ear);
  expect(ear.text).toBe(textOfLevels(12));
});

test("audio counts once against the tenant's day, also over a restart, and the day may end a session", async () => {
  let countedSec = 0;
  let begun = 0;
  let leftSec = Number.POSITIVE_INFINITY;
  const usage = {
    assertLeft: () => {
      if (countedSec >= leftSec) throw new SttError('QUOTA_EXCEEDED', 'No more today');
    },
    count: (_: string | null, audioSec: number, sessions: number) => {
      countedSec += audioSec;
      begun += sessions;
    },
  };
  const first = openSessions({ usage });
  const { resumeToken, host, ...session } = await start(first);
  const ear = new Ear();
  host.listen(ear);
  speak({ host, ...session }, 6);
  await expect.poll(() => ear.acknowledged).toBe(24);
  await first.close();
  const second = openSessions({ usage });
  expect(await second.restore()).toBe(1);
  await heardToTheEnd(await second.resume(CALLER, 's', resumeToken), ear);
  expect([countedSec, begun]).toEqual([SPEECH.length / SAMPLE_RATE_HZ, 1]);
  expect(ear.text).toBe(textOfLevels(12));

  leftSec = countedSec + 5;
  const third = await start(second);
  const other = new Ear();
  third.host.listen(other);
  speak(third, 5.5);
  const outcome = await third.outcome;
  expect(outcome).toMatchObject({ reason: 'quota', error: { code: 'QUOTA_EXCEEDED' } });
  expect(other.text).toBe(textOfLevels(8));
  await expect(start(second)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
});

test('an ended session is handed over once, by the next process if need be, and then forgotten', async () => {
  const refinement = new ScriptedRefinement();
  const down = Array.from({ length: 500 }, () => new SttError('STORE_UNAVAILABLE', 'Down'));
  refinement.failures.push(...down);
  const first = openSessions({ refinement });
  const ended = heardToTheEnd(await start(first), new Ear()).catch(() => 'stopped');
  await expect.poll(() => refinement.failures.length).toBeLessThan(500);
  await first.close();
  expect(await ended).toBe('stopped');
  refinement.failures.length = 0;
  const second = openSessions({ refinement, resumeSec: 0.2 });
  expect(await second.restore()).toBe(1);
  await expect.poll(() => readdir(join(dataDir, 'realtime'))).toEqual([]);
  const bytes = 44 + 2 * SPEECH.length;
  expect(refinement.handedOver).toMatchObject([{ meetingId: 'm', tenant: 't', bytes }]);
});

test('what was said last can still be fetched after the end, until its client has heard it', async () => {
  const sessions = openSessions();
  const session = await start(sessions);
  await heardToTheEnd(session, new Ear());
  expect(sessions.count).toBe(0); // It takes nobody's place any more.
  const late = new Ear();
  const resumed = await sessions.resume(CALLER, 's', session.resumeToken);
  resumed.host.listen(late, 0);
  expect(late.text).toBe(textOfLevels(12));
  sessions.release(resumed.host);
  await expect.poll(() => readdir(join(dataDir, 'realtime'))).toEqual([]);
  const again = sessions.resume(CALLER, 's', session.resumeToken);
  await expect(again).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('files that cannot be read keep nobody else out, and are gone after a day', async () => {
  const session = await start(openSessions());
  speak(session, 2);
  await expect.poll(() => session.host.chunkSeq).toBe(8);
  for (const [name, text] of [
    ['broken', '{'],
    ['newer', '{"version": 9}'],
    ['empty', null],
  ]) {
    const folder = join(dataDir, 'realtime', String(name));
    await mkdir(folder);
    if (text != null) await writeFile(join(folder, 'session.json'), text);
  }
  await opened.splice(0)[0]!.close();
  expect(await openSessions().restore()).toBe(1);
  const left = await readdir(join(dataDir, 'realtime'));
  expect(left).toHaveLength(3);
  expect(left).toEqual(expect.arrayContaining(['broken', 'newer']));
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  await utimes(join(dataDir, 'realtime/broken'), longAgo, longAgo);
  await openSessions().restore();
  expect(await readdir(join(dataDir, 'realtime'))).toHaveLength(2);
});
