import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Program, startProgram } from '../../fakes/program.ts';

export interface RunningService extends Program {
  readonly url: string;
}

/** The whole service in a process of its own, on the embedded models; ready when it resolves. */
export async function startService(env: Readonly<Record<string, string>>): Promise<RunningService> {
  const port = env['PORT'] ?? String(await freePort());
  const program = startProgram([], { env: { ...env, PORT: port } });
  const url = `http://127.0.0.1:${port}`;
  let hasEnded = false;
  void program.ended.then(() => {
    hasEnded = true;
  });
  for (;;) {
    if (hasEnded) throw new Error(`the service ended: ${(await program.ended).stdout}`);
    const ping = await fetch(`${url}/ping`).catch(() => undefined);
    if (ping?.status === 200) return { ...program, url };
    await sleep(50);
  }
}

/** A port that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
