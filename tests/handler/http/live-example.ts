import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROJECT_ROOT } from '../../fakes/program.ts';

interface HeardByExample {
  readonly types: readonly string[];
  /** The final text, joined. */
  readonly text: string;
  /** What the process wrote to stderr: failures of the example or of its socket. */
  readonly troubles: string;
}

/**
 * Runs a documented client of live captions as it stands, but for the port, in a process of its own
 * with a WebSocket as browsers have it, until its first utterance is over.
 */
export async function runLiveExample(code: string, serviceUrl: string): Promise<HeardByExample> {
  const child = spawn(
    process.execPath,
    [
      ...['--no-warnings', '--experimental-websocket', '--input-type=module'],
      ...['--import', join(PROJECT_ROOT, 'scripts/typescript.mjs')],
      ...['--import', join(PROJECT_ROOT, 'tests/fixtures/live-page.ts')],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const troubles = text(child.stderr);
  const ended = once(child, 'exit');
  child.stdin.end(code.replaceAll('localhost:8001', new URL(serviceUrl).host));
  let printed = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    printed += String(piece);
    if (/speech_final: true/.test(printed)) child.kill();
  }
  await ended;
  // As console.log shows objects: a text with an apostrophe stands in double quotes.
  const finals = printed.matchAll(/type: 'transcript_final',.*?\btext: (['"`])(.*?)\1,\n/gs);
  return {
    types: [...printed.matchAll(/^ *(?:\{ )?type: '(\w+)'/gm)].map(([, type = '']) => type),
    text: Array.from(finals, ([, , words = '']) => words)
      .join('')
      .trim(),
    troubles: await troubles,
  };
}
