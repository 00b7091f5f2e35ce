import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { SttError } from '../../../core/errors.ts';
import type { LiveSessionsOptions } from '../../../handler/realtime/session-contracts.ts';
import { ScriptedRefinement } from '../../fakes/scripted-refinement.ts';
import { levelRecognizer, levelVoiceActivity, textOfLevels } from '../../fakes/spoken-levels.ts';
import {
  CALLER,
  Ear,
  heardToTheEnd,
  PATIENT,
  SessionBench,
  SPEECH,
  speak,
  start,
} from './session-bench.ts';

let bench: SessionBench;
let dataDir: string;

beforeEach(async () => {
  bench = await SessionBench.open();
  dataDir = bench.dataDir;
});
afterEach(() => bench.close());

const openSessions = (options: Partial<LiveSessionsOptions> = {}) => bench.sessions(options);
const outage = (): SttError => new SttError('ENDPOINT_UNAVAILABLE', 'Nobody answers');

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
  const bytes = 44 + 4 * SPEECH.length;
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

test('processes that share a folder leave each other their sessions, until one is silent', async () => {
  const first = bench.sessions({ isShared: true });
  const session = await start(first);
  const ear = new Ear();
  session.host.listen(ear);
  speak(session, 5);
  await expect.poll(() => ear.acknowledged).toBe(20);
  const second = bench.sessions({ isShared: true });
  expect(await second.restore()).toBe(0);
  const early = second.resume(CALLER, 's', session.resumeToken);
  await expect(early).rejects.toMatchObject({ code: 'SERVICE_BUSY' });
  const unknown = second.resume(CALLER, 'other', session.resumeToken);
  await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await first.close();
  const [folder] = await readdir(join(dataDir, 'realtime'));
  const before = new Date(Date.now() - 20_000);
  await utimes(join(dataDir, 'realtime', folder!), before, before);
  const third = bench.sessions({ isShared: true });
  const taken = await Promise.all([second.restore(), third.restore()]);
  expect(taken.toSorted()).toEqual([0, 1]);
  const heir = taken[0] === 1 ? second : third;
  await heardToTheEnd(await heir.resume(CALLER, 's', session.resumeToken), ear);
  expect(ear.text).toBe(textOfLevels(12));
});

test('files that cannot be read keep nobody else out, and are gone after a day', async () => {
  const sessions = openSessions();
  const session = await start(sessions);
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
  await sessions.close();
  expect(await openSessions().restore()).toBe(1);
  const left = await readdir(join(dataDir, 'realtime'));
  expect(left).toHaveLength(3);
  expect(left).toEqual(expect.arrayContaining(['broken', 'newer']));
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  await utimes(join(dataDir, 'realtime/broken'), longAgo, longAgo);
  await openSessions().restore();
  expect(await readdir(join(dataDir, 'realtime'))).toHaveLength(2);
});
