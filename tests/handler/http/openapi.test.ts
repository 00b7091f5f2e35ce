import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { createLogger } from '../../../core/logger.ts';
import { createService, type Service } from '../../../handler/http/create-service.ts';
import { EngineSlot } from '../../../handler/http/engine-slot.ts';
import { RealtimeModule } from '../../../handler/realtime/realtime-module.ts';
import { OneTenantJobs } from '../../fakes/one-tenant-jobs.ts';
import { ApiDescription } from './api-description.ts';

/** Pages, sockets, and what the description itself is. */
const NOT_DESCRIBED = [
  /^GET \/(?:page\/.+)?$/,
  /^GET \/(?:docs|openapi\.json)$/,
  /^GET \/(?:stt\/realtime|v1\/realtime|v1\/listen)$/,
];

let service: Service;
let description: ApiDescription;

beforeAll(async () => {
  const config = loadConfig({});
  const slot = new EngineSlot();
  service = await createService({
    config,
    logger: createLogger('silent', { write: () => undefined }),
    version: '0.0.0',
    keys: undefined,
    slot,
    asyncJobs: new OneTenantJobs(),
    modules: [new RealtimeModule(config).register],
  });
  await service.app.ready();
  const document = (await service.app.inject('/openapi.json')).json();
  description = new ApiDescription(document);
});

afterAll(() => service.app.close());

const asRoute = (operation: string): { method: 'GET' | 'POST' | 'DELETE'; url: string } => {
  const [method = 'GET', path = ''] = operation.split(' ');
  const url = path.replace('/v1/models/{model}', '/v1/models/*').replace(/\{(\w+)\}/g, ':$1');
  return { method: method as 'GET' | 'POST' | 'DELETE', url };
};

test('every operation of the description is a route', () => {
  expect(description.operations.length).toBeGreaterThan(15);
  const missing = description.operations.filter((each) => !service.app.hasRoute(asRoute(each)));
  expect(missing).toEqual([]);
});

test('every route is described, or known to be none of the API', () => {
  const described = new Set(
    description.operations.map(asRoute).map(({ method, url }) => `${method} ${url}`),
  );
  const all = printedRoutes(service.app.printRoutes({ commonPrefix: false }));
  const undescribed = all
    .filter((route) => !route.startsWith('HEAD '))
    .filter((route) => !described.has(route) && !NOT_DESCRIBED.some((known) => known.test(route)));
  expect(all.length).toBeGreaterThan(20);
  expect([...new Set(undescribed)]).toEqual([]);
});

/** `METHOD /path` of every line of the tree that Fastify prints. */
function printedRoutes(tree: string): string[] {
  const parts: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const match = /^(?<indent>[│├└─\s]*)(?<part>\S+)(?: \((?<methods>[A-Z, ]+)\))?$/u.exec(line);
    const { indent = '', part = '', methods } = match?.groups ?? {};
    const depth = indent.length / 4;
    parts.splice(depth - 1, parts.length, part);
    const url = parts.join('').replace(/(?<!\/)\*$/, '/*');
    return methods === undefined ? [] : methods.split(', ').map((method) => `${method} ${url}`);
  });
}

test('the page is static: no script, nothing from elsewhere', async () => {
  const { body, headers } = await service.app.inject('/docs');
  expect(headers['content-security-policy']).toMatch(/default-src 'none'/);
  expect(body).toMatch(/\/stt\/upload/);
  expect(body).not.toMatch(/<script|src=|https?:\/\//);
});

test('an answer that is not as described is found out', () => {
  const given = { method: 'GET', path: '/health', status: 200, contentType: 'application/json' };
  const right = { status: 'ready', model: null, device: null, version: '1', uptime: 3 };
  const problems = (body: object, more: object = {}) =>
    description.problemsOf({ ...given, body: JSON.stringify(body), ...more });
  expect(problems(right)).toEqual([]);
  expect(problems({ ...right, extra: 1 })).toEqual([]);
  expect(problems({ ...right, status: 'asleep' })).toHaveLength(1);
  expect(problems({ ...right, uptime: '3' })).toHaveLength(1);
  expect(problems(right, { contentType: 'text/html' })).toHaveLength(1);
  expect(problems(right, { path: '/nowhere' })).toHaveLength(1);
  expect(problems({ error: { code: 'NONE' } }, { status: 400 }).length).toBeGreaterThan(0);
});
