import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Channel, RecordedRequest, Scenario } from '../../fakes/runpod-api.ts';

/** Where the recordings of RunPod's own worker lie; they are not part of this repository. */
const FOLDER = fileURLToPath(new URL('../../../../shared/runpod-lab/', import.meta.url));

export const hasRecordings = existsSync(FOLDER);

/** Appended to titles, so that a skipped test says why. */
export const recordingsNote = hasRecordings
  ? ''
  : ' (skipped: no recordings in ../shared/runpod-lab)';

/** A request reduced to what has to be equal; the bodies parsed, as the writers' spaces differ. */
export interface ComparableRequest {
  readonly request: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function loadScenario(name: string): Scenario {
  return JSON.parse(readFileSync(`${FOLDER}sc_${name}.json`, 'utf8'));
}

export const scenarioNames = (): string[] =>
  readdirSync(FOLDER).flatMap((file) => /^sc_(\w+)\.json$/.exec(file)?.[1] ?? []);

/** What RunPod's worker sent on one channel, in order. */
export function loadTrace(name: string, channel: Channel): ComparableRequest[] {
  const lines = readFileSync(`${FOLDER}${name}.log`, 'utf8').trim().split('\n');
  return lines
    .map((line): LabLine => JSON.parse(line))
    .filter(
      (line) => line.m !== undefined && channelPath(line.url).startsWith(CHANNEL_PATHS[channel]),
    )
    .map(({ m, url, h, body }) => {
      const headers = Object.entries(h).map(([key, value]) => [key.toLowerCase(), value]);
      return compared(`${m} ${url}`, Object.fromEntries(headers), body);
    });
}

export const comparable = ({ method, url, headers, body }: RecordedRequest): ComparableRequest =>
  compared(`${method} ${url}`, headers, body);

/** Removes the neighbours that are equal: polls and pings repeat as often as time allows. */
export function collapse(requests: readonly string[]): string[] {
  return requests.filter((request, index) => request !== requests[index - 1]);
}

interface LabLine {
  readonly m?: string;
  readonly url: string;
  readonly h: Readonly<Record<string, string>>;
  readonly body: string;
}

const CHANNEL_PATHS: Readonly<Record<Channel, string>> = {
  take: 'job-take',
  done: 'job-done',
  stop: 'job-stop',
  stream: 'job-stream',
  ping: 'ping',
};

const channelPath = (url: string): string => url.split('/').slice(3).join('/');

const COMPARED_HEADERS = ['authorization', 'content-type', 'charset', 'x-request-id', 'accept'];

function compared(
  request: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): ComparableRequest {
  const isPost = request.startsWith('POST');
  return {
    request,
    headers: Object.fromEntries(
      COMPARED_HEADERS.filter((name) => headers[name] !== undefined)
        // Deviation: the SDK leaks a job's X-Request-ID into the polls that follow; ours never.
        .filter((name) => isPost || name !== 'x-request-id')
        .map((name) => [name, headers[name] ?? '']),
    ),
    body: body === '' ? undefined : JSON.parse(body),
  };
}
