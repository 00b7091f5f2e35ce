import { createReadStream } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { byteRangeOf } from './byte-range.ts';
import { DOWNLOAD_PATH, type SignedDownloads } from './signed-downloads.ts';

const HEADERS = {
  'accept-ranges': 'bytes',
  'cache-control': 'no-store',
  'content-type': 'application/octet-stream',
  'x-content-type-options': 'nosniff',
};

/**
 * Serves handed-over recordings, in ranges too, to whoever has a valid URL: its token is the
 * key. What is wrong with a token is not told: 404.
 */
export function registerSignedDownloads(server: FastifyInstance, downloads: SignedDownloads): void {
  server.get<{ Params: { token: string } }>(
    `${DOWNLOAD_PATH}/:token`,
    { logLevel: 'silent', exposeHeadRoute: false, config: { access: 'public' } },
    async (request, reply) => {
      const recording = downloads.find(request.params.token);
      if (recording === undefined) return reply.code(404).send();
      const range = byteRangeOf(request.headers.range, recording.bytes);
      reply.headers(HEADERS);
      if (range === 'unsatisfiable') {
        return reply.code(416).header('content-range', `bytes */${recording.bytes}`).send();
      }
      const { start, end } = range === 'whole' ? { start: 0, end: recording.bytes - 1 } : range;
      if (range !== 'whole') {
        reply.code(206).header('content-range', `bytes ${start}-${end}/${recording.bytes}`);
      }
      return reply
        .header('content-length', end - start + 1)
        .send(createReadStream(recording.path, { start, end }));
    },
  );
}
