import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadModels, WHISPER_TINY_EN } from '../models/load-models.ts';
import { OwnPolicy } from './caption-policies.ts';
import { optimalAssignment } from './optimal-assignment.ts';
import { replayCaptions } from './replay-captions.ts';
import { readWavSamples } from './wav-samples.ts';

/**
 * Who says what in live captions: replays a recording of known speakers against a clock of its own and
 * counts the final words that have the right one. `npm run bench:live-speakers -- [--service-ms 300]`
 */

interface Turn {
  readonly start: number;
  readonly end: number;
  readonly speaker: string;
}

const SAMPLE_RATE_HZ = 16_000;
const { values } = parseArgs({ options: { 'service-ms': { type: 'string', default: '300' } } });
const samples = readWavSamples(await readFile('samples/meeting-en.wav'));
const turns = JSON.parse(await readFile('samples/meeting-en.json', 'utf8')) as readonly Turn[];
const models = await loadModels(
  { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 1, whisper: WHISPER_TINY_EN },
  (error) => {
    throw error;
  },
);
const { voiceActivity, recognizer, embedding } = models;
const frameSamples = voiceActivity.windowSamples;
const whole = samples.slice(0, samples.length - (samples.length % frameSamples));
const { signal } = new AbortController();
const probabilities = [...(await voiceActivity.openStream().push(whole, signal))];
const policy = new OwnPolicy('own', samples, { recognizer, embedding });
const serviceMs = Number(values['service-ms']);
const { words } = await replayCaptions(policy, probabilities, { frameSamples, serviceMs });
await models.close();

const people = [...new Set(turns.map(({ speaker }) => speaker))];
const labels = [...new Set(words.flatMap(({ speaker }) => speaker ?? []))];
const spoken = words.map((word) => {
  const atSec = (word.range.start + word.range.end) / 2 / SAMPLE_RATE_HZ;
  const distanceOf = ({ start, end }: Turn): number => Math.max(start - atSec, atSec - end, 0);
  const turn = turns.reduce((best, next) => (distanceOf(next) < distanceOf(best) ? next : best));
  return { label: word.speaker, person: turn.speaker };
});
const shared = people.map((person) =>
  labels.map((name) => spoken.filter((w) => w.person === person && w.label === name).length),
);
const matched = optimalAssignment(shared);
process.stdout.write(
  `${spoken.length} words, ${labels.length} labels for ${people.length} people\n`,
);
for (const [index, person] of people.entries()) {
  const counts = labels.map((name, label) => `${name} ${shared[index]![label]}`);
  const none = spoken.filter((word) => word.person === person && word.label === undefined).length;
  process.stdout.write(`${person}: ${counts.join(', ')}, no label ${none}\n`);
}
const right = matched.reduce((sum, label, person) => sum + (shared[person]?.[label] ?? 0), 0);
process.stdout.write(
  `right speaker: ${((100 * right) / spoken.length).toFixed(1)} % of the words\n`,
);
