import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { ERROR_CODES } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import { createService, type Service } from '../../../handler/http/create-service.ts';
import { EngineSlot } from '../../../handler/http/engine-slot.ts';
import { LocalExecutor } from '../../../handler/jobs/local-executor.ts';
import { fakeJobServices } from '../../fakes/job-services.ts';
import { OneTenantJobs } from '../../fakes/one-tenant-jobs.ts';
import { wavBytes } from '../../fakes/wav-bytes.ts';

let service: Service;
const WAV = wavBytes(new Int16Array(1600)).toString('latin1');

beforeAll(async () => {
  const slot = new EngineSlot();
  await slot.load(async () => ({
    executor: new LocalExecutor({ audioRoot: undefined, services: () => fakeJobServices() }),
    model: 'fake-whisper',
    device: 'cpu',
    languages: ['en'],
    stats: () => null,
    close: async () => undefined,
  }));
  service = await createService({
    config: loadConfig({}),
    logger: createLogger('silent', { write: () => undefined }),
    version: '0.0.0',
    keys: undefined,
    slot,
    asyncJobs: new OneTenantJobs(),
  });
});

afterAll(() => service.app.close());

const documentOf = async () => (await service.app.inject('/openapi.json')).json();

test('every route of the description exists, and every route is described', async () => {
  const { paths } = await documentOf();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(Object(methods)).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const missing = described.filter((operation) => {
    const [method = 'GET', path = ''] = operation.split(' ');
    const url = path.replace(/\{(\w+)\}/g, ':$1');
    return !service.app.hasRoute({ method: method as 'GET' | 'POST' | 'DELETE', url });
  });
  expect(missing).toEqual([]);
  expect(described.length).toBeGreaterThan(10);
});

test('the page is static: no script, nothing from elsewhere', async () => {
  const { body, headers } = await service.app.inject('/docs');
  expect(headers['content-security-policy']).toMatch(/default-src 'none'/);
  expect(body).toMatch(/\/stt\/upload/);
  expect(body).not.toMatch(/<script|src=|https?:\/\//);
});

/** Values that fit the field, nearly fit, or do not at all. */
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', 'en', 'true', '0.2', 'json', '[0]', '{"a":1}', '\u0000', 'ko-KR', 'srt'),
  fc.double(),
  fc.boolean(),
);

function bodyOf(fields: Readonly<Record<string, unknown>>, withFile: boolean) {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n` +
      `${typeof value === 'string' ? value : JSON.stringify(value)}\r\n`,
  );
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
  const file = withFile ? `${head}${WAV}\r\n` : '';
  return Buffer.from(`${parts.join('')}${file}--b--\r\n`, 'latin1');
}

test.each(['/stt/process', '/stt/upload', '/v1/audio/transcriptions', '/v1/audio/translations'])(
  'whatever is sent to %s, no answer is a 5xx and every failure has a code',
  async (path) => {
    const { paths } = await documentOf();
    const [[type, { schema }]] = Object.entries<{ schema: { properties: object } }>(
      paths[path].post.requestBody.content,
    ) as [[string, { schema: { properties: object } }]];
    const names = Object.keys(schema.properties).filter((name) => name !== 'file');
    const field = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...names) },
      fc.stringMatching(/^\w{1,9}$/),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(field, anyValue, { maxKeys: 4 }),
        fc.boolean(),
        async (fields, withFile) => {
          const isForm = type === 'multipart/form-data';
          const response = await service.app.inject({
            method: 'POST',
            url: path,
            headers: { 'content-type': isForm ? `${type}; boundary=b` : type },
            payload: isForm ? bodyOf(fields, withFile) : JSON.stringify(fields),
          });
          expect(response.statusCode).toBeLessThan(500);
          if (response.statusCode < 400) return;
          const { code } = response.json().error;
          expect(Object.keys(ERROR_CODES)).toContain(code.toUpperCase());
        },
      ),
      { numRuns: 500 },
    );
  },
);
