import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../fakes/program.ts';
import { codeBlocksOf, curlCommandsOf, readCommentedJson, shapeOf } from './documented.ts';
import { runLiveExample } from './live-example.ts';

const SPOKEN = /Good morning/;
const README = readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8');
const API = readFileSync(join(PROJECT_ROOT, 'docs/api.md'), 'utf8');
const SAMPLE = 'samples/meeting-en.wav';

interface Access {
  readonly url: string;
  /** Where the commands are run: with `samples/` and `meeting.mp3` in it. */
  readonly folder: string;
  /** The same words in each format. */
  readonly recordings: Readonly<Record<string, string>>;
}

/** What the documents show is what a running service does; the commands as they stand there. */
export function describeDocuments(access: () => Access): void {
  const run = async (command: string) => {
    const { url, folder } = access();
    const here = command.replaceAll('localhost:8001', new URL(url).host);
    const { stdout } = await promisify(execFile)('sh', ['-ec', here], { cwd: folder });
    return JSON.parse(stdout);
  };
  const documented = readCommentedJson(
    codeBlocksOf(README).find(({ code }) => code.includes('"transcript"'))?.code ?? '{}',
  );

  test('the result in the README has the fields and types of a real one, and no others', async () => {
    const [command = ''] = curlCommandsOf(README);
    expect(command).toContain(SAMPLE);
    const result = await run(command);
    expect(shapeOf({ ...result, ...nullable })).toEqual(
      shapeOf({ ...Object(documented), ...nullable }),
    );
    expect(result).toMatchObject({
      meeting_id: 'meeting_123',
      transcript: expect.stringMatching(SPOKEN),
      total_speakers: 3,
      total_segments: result.segments.length,
    });
  });

  test('every command of the documents is answered with a result', async () => {
    const commands = [...curlCommandsOf(README).slice(1), ...curlCommandsOf(API)];
    expect(commands.length).toBeGreaterThan(1);
    for (const command of commands) {
      const answer = await run(command);
      expect([command, answer]).toEqual([
        command,
        expect.objectContaining({ transcript: expect.stringMatching(SPOKEN) }),
      ]);
    }
  });

  test('every format is answered with all the fields of the README, words and speakers too', async () => {
    const [command = ''] = curlCommandsOf(README);
    const { recordings } = access();
    expect(Object.keys(recordings)).toHaveLength(7);
    for (const [format, path] of Object.entries(recordings)) {
      const result = await run(command.replace(SAMPLE, path));
      expect([format, shapeOf({ ...result, ...nullable })]).toEqual([
        format,
        shapeOf({ ...Object(documented), ...nullable }),
      ]);
      expect(result.transcript).toMatch(SPOKEN);
    }
  });

  test("the README's client of live captions hears the speech, and nothing that disturbs it", async () => {
    const [, section = ''] = README.split(/^## Live captions$/m);
    const [example] = codeBlocksOf(section);
    expect(example?.language).toBe('js');
    const heard = await runLiveExample(example?.code ?? '', access().url);
    expect(heard.text).toMatch(/^Good morning everyone.*project status\.$/);
    expect(heard.types).toEqual(expect.arrayContaining(['session_started', 'audio_ack']));
    expect(heard.types).not.toContain('error');
    expect(heard.troubles).toBe('');
  });

  test('a failure has the shape that the documents show', async () => {
    const shown = codeBlocksOf(API).find(({ code }) => code.includes('"error"'))?.code ?? '';
    const response = await fetch(`${access().url}/stt/process`, { method: 'POST' });
    expect(shapeOf(await response.json())).toEqual(shapeOf(readCommentedJson(shown)));
  });
}

/** Texts where they were sent, else null. */
const nullable = { meeting_id: 'text', tenant_id: 'text', user_id: 'text' };
