import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endService, startLoadedService } from './load-service.ts';

/**
 * Schemathesis (`pip install schemathesis`) against the whole service in a process of its own, from
 * its `/openapi.json`: no server error, and every answer as described. What a schema cannot say is
 * not asked: that fields contradict one another, that bytes are a recording.
 * `npm run bench:fuzz -- --examples 150 --seed 1`
 */
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    schemathesis: { type: 'string', default: 'schemathesis' },
  },
});

const PORT = 18_442;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
  'use_after_free',
  'ensure_resource_availability',
];

const folder = await mkdtemp(join(tmpdir(), 'stt-fuzz-'));
const service = await startLoadedService(PORT, {
  DATA_DIR: join(folder, 'data'),
  SPOOL_DIR: join(folder, 'spool'),
  AUDIO_ROOT: 'samples',
  MAX_QUEUED_JOBS: '100000',
});
try {
  const argv = [
    'run',
    `${service.url}/openapi.json`,
    ...['--url', service.url, '--checks', CHECKS.join(',')],
    ...['--max-examples', values.examples, '--seed', values.seed, '--workers', '2'],
    ...['--continue-on-failure', '--request-timeout', '60'],
  ];
  const fuzzer = spawn(values.schemathesis, argv, { cwd: folder, stdio: 'inherit' });
  const [exitCode] = await once(fuzzer, 'exit');
  const isAlive = service.child.exitCode === null;
  if (!isAlive) process.stdout.write('FAILED: the service has ended\n');
  process.exitCode = isAlive ? Number(exitCode ?? 1) : 1;
} finally {
  await endService(service, 'SIGTERM');
  await rm(folder, { recursive: true });
}
