import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

const BUCKET = 'recordings';

/** A real S3-compatible server on 127.0.0.1, with one bucket; it checks keys and expiry, not signatures. */
export async function startBucketServer() {
  const directory = await mkdtemp(join(tmpdir(), 'stt-bucket-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port } = await server.run();
  return {
    address: {
      endpoint: `http://127.0.0.1:${port}`,
      bucket: BUCKET,
      region: 'us-east-1',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    },
    /** Names of what the bucket holds. */
    objects: async (): Promise<string[]> =>
      (await readdir(join(directory, BUCKET))).filter((name) => name.endsWith('_object')),
    close: async (): Promise<void> => {
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
