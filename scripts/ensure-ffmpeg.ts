/**
 * Makes sure that there is an ffmpeg: looks for one, else lets ffmpeg-static download its own
 * (install scripts are off in this project). Says what happened and never fails, so that it can
 * stand in any build: a missing ffmpeg is reported again when one is needed.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { findFfmpeg } from '../audio/ffmpeg-path.ts';
import { SttError } from '../core/errors.ts';

const say = (line: string): unknown => process.stdout.write(`${line}\n`);
const configured = process.env['FFMPEG_PATH'] || undefined;

try {
  say(`ffmpeg found: ${await findFfmpeg(configured)}`);
} catch (thrown) {
  await installMissing(SttError.from(thrown));
}

async function installMissing(missing: SttError): Promise<void> {
  if (configured !== undefined) {
    say(missing.message);
    return;
  }
  say('ffmpeg was not found; downloading the one of ffmpeg-static');
  const outcome = await runInstaller();
  try {
    say(`ffmpeg installed: ${await findFfmpeg(undefined)}`);
  } catch (thrown) {
    say(`The download failed (${outcome}). ${SttError.from(thrown).message}`);
  }
}

/** Resolves, never rejects, with how the installer ended. */
function runInstaller(): Promise<string> {
  const installer = createRequire(import.meta.url).resolve('ffmpeg-static/install.js');
  return new Promise((resolve) => {
    spawn(process.execPath, [installer], { stdio: 'inherit' })
      .once('error', () => resolve('the installer did not start'))
      .once('close', (exitCode) => resolve(`exit code ${exitCode}`));
  });
}
