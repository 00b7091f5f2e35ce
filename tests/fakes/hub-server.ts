import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, FaultPlan, sendContent } from './hub-faults.ts';

export interface FakeRepo {
  /** Branches and `refs/pr/N`; `main` unless named. */
  readonly revisions?: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, Buffer>>;
  /** Answers strangers with 401, and with 403 a token that is not the accepted one. */
  readonly gated?: boolean;
}

interface SeenRequest {
  readonly server: 'hub' | 'cdn';
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** The file that was asked for; empty for the API. */
  file: string;
  /** Content that was handed to the socket, as half-open ranges. */
  readonly sent: [startByte: number, endByte: number][];
}

export interface HubServer {
  readonly endpoint: string;
  readonly requests: readonly SeenRequest[];
  /** Most content requests that were under way at the same moment. */
  readonly mostAtOnce: number;
  fail(fault: Fault): void;
  close(): Promise<void>;
}

export const ACCEPTED_TOKEN = 'hf_accepted';
export const COMMIT = 'c0ffee'.padEnd(40, '0');

/** Kept outside of git: served by another origin, and named by SHA-256. */
const isLfs = (path: string): boolean => /\.(?:safetensors|onnx|bin|msgpack|h5)$/.test(path);
export const sha256 = (content: Buffer): string =>
  createHash('sha256').update(content).digest('hex');
const gitSha1 = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
export const etagOf = (path: string, content: Buffer): string =>
  isLfs(path) ? sha256(content) : gitSha1(content);

/**
 * A model hub on two loopback ports: API and small files on one, the content of LFS files on the
 * other, behind a 302, as the real one has it.
 */
export async function startHubServer(
  repos: Readonly<Record<string, FakeRepo>>,
): Promise<HubServer> {
  const hub = new FakeHub(repos);
  const cdnServer = createServer((request, response) => void hub.serveCdn(request, response));
  hub.cdnOrigin = await listen(cdnServer);
  const server = createServer((request, response) => void hub.serveHub(request, response));
  const endpoint = await listen(server);
  return {
    endpoint,
    requests: hub.requests,
    get mostAtOnce() {
      return hub.mostAtOnce;
    },
    fail: (fault) => hub.faults.add(fault),
    close: async () => {
      await Promise.all([close(server), close(cdnServer)]);
    },
  };
}

class FakeHub {
  readonly faults = new FaultPlan();
  readonly requests: SeenRequest[] = [];
  cdnOrigin = '';
  mostAtOnce = 0;
  #atOnce = 0;
  readonly #repos: Readonly<Record<string, FakeRepo>>;

  constructor(repos: Readonly<Record<string, FakeRepo>>) {
    this.#repos = repos;
  }

  async serveHub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = this.#see('hub', request);
    const url = decodeURIComponent(seen.path);
    const [, repo = '', revision = '', path] =
      /^\/api\/models\/([^/]+\/[^/]+)\/(?:revision|tree)\/(.+)$/.exec(url) ??
      /^\/(?:api\/resolve-cache\/models\/)?([^/]+\/[^/]+)\/(?:resolve\/)?([^/]+)\/(.+)$/.exec(
        url,
      ) ??
      [];
    seen.file = path ?? '';
    const fault = this.faults.take(path === undefined ? 'api' : 'resolve', seen.file);
    if (fault && 'status' in fault) return refuse(response, fault.status, fault.headers);
    const found = this.#repos[repo];
    if (found === undefined) return refuse(response, 401, { 'x-error-code': 'RepoNotFound' });
    const commits = found.revisions ?? { main: COMMIT };
    const commit = commits[revision] ?? Object.values(commits).find((hash) => hash === revision);
    if (commit === undefined) return refuse(response, 404, { 'x-error-code': 'RevisionNotFound' });
    if (path === undefined) return answerApi(url, found, commit, response);
    const isAccepted = request.headers.authorization === `Bearer ${ACCEPTED_TOKEN}`;
    if (found.gated && !isAccepted) {
      const status = request.headers.authorization === undefined ? 401 : 403;
      return refuse(response, status, { 'x-error-code': 'GatedRepo' });
    }
    const content = found.files[path];
    if (content === undefined) return refuse(response, 404, { 'x-error-code': 'EntryNotFound' });
    const isCached = url.startsWith('/api/resolve-cache/');
    if (isCached) return this.#serve(request, response, { seen, content });
    redirect(response, { path, content, commit, repo, cdnOrigin: this.cdnOrigin });
  }

  async serveCdn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = this.#see('cdn', request);
    const hash = seen.path.split('/').at(-1);
    for (const { files } of Object.values(this.#repos)) {
      for (const [path, content] of Object.entries(files)) {
        if (sha256(content) !== hash) continue;
        seen.file = path;
        return this.#serve(request, response, { seen, content });
      }
    }
    refuse(response, 403);
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    { seen, content }: { seen: SeenRequest; content: Buffer },
  ): Promise<void> {
    const fault = this.faults.take('content', seen.file);
    if (fault && 'status' in fault) return refuse(response, fault.status, fault.headers);
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    const etag = etagOf(seen.file, content);
    const onSent = (start: number, length: number) => void seen.sent.push([start, start + length]);
    const onEnding = (): void => {
      this.#atOnce -= 1;
    };
    await sendContent(request, response, content, { etag, fault, onSent, onEnding });
  }

  #see(server: SeenRequest['server'], { url = '', headers }: IncomingMessage): SeenRequest {
    const seen: SeenRequest = {
      server,
      path: url.split('?')[0]!,
      range: headers.range,
      authorization: headers.authorization,
      file: '',
      sent: [],
    };
    this.requests.push(seen);
    return seen;
  }
}

function answerApi(url: string, { files }: FakeRepo, commit: string, response: ServerResponse) {
  const tree = Object.entries(files).map(([path, content]) => ({
    type: 'file',
    path,
    size: content.length,
    oid: isLfs(path) ? gitSha1(Buffer.from('pointer')) : gitSha1(content),
    ...(isLfs(path) && { lfs: { oid: sha256(content), size: content.length, pointerSize: 134 } }),
  }));
  const answer = url.includes('/tree/') ? tree : { id: 'fake/fake', _id: 'fake', sha: commit };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

interface Redirect {
  readonly path: string;
  readonly content: Buffer;
  readonly commit: string;
  readonly repo: string;
  readonly cdnOrigin: string;
}

function redirect(
  response: ServerResponse,
  { path, content, commit, repo, cdnOrigin }: Redirect,
): void {
  const common = { 'x-repo-commit': commit, 'accept-ranges': 'bytes' };
  if (isLfs(path)) {
    response.writeHead(302, {
      ...common,
      'x-linked-etag': `"${sha256(content)}"`,
      'x-linked-size': content.length,
      location: `${cdnOrigin}/lfs/${sha256(content)}?signature=secret`,
    });
  } else {
    response.writeHead(307, {
      ...common,
      etag: `"${gitSha1(content)}"`,
      location: `/api/resolve-cache/models/${repo}/${commit}/${encodeURIComponent(path)}`,
    });
  }
  response.end();
}

function refuse(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: 'refused' }));
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
