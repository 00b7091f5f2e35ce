import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** What goes wrong with an answer. */
export type FaultKind =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cutAfterBytes: number }
  | { readonly stallAfterBytes: number }
  | { readonly wrongContent: true }
  | { readonly ignoreRange: true }
  | { readonly bytesPerSec: number };

export interface Fault {
  /** The Hub's API, its `/resolve/` addresses, or the content, wherever it is served. */
  readonly on: 'api' | 'resolve' | 'content';
  /** Only requests for this file. */
  readonly file?: string;
  /** How often; then all is well again. */
  readonly times: number;
  readonly kind: FaultKind;
}

/** Faults wait here for the requests that they are meant for. */
export class FaultPlan {
  readonly #faults: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times });
  }

  take(on: Fault['on'], file: string): FaultKind | undefined {
    const found = this.#faults.find(
      ({ fault, left }) =>
        left > 0 && fault.on === on && (fault.file === undefined || fault.file === file),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.fault.kind;
  }
}

export interface ContentOptions {
  readonly etag: string;
  readonly fault: FaultKind | undefined;
  /** Told what has been handed to the socket: first byte and length. */
  readonly onSent: (startByte: number, lengthBytes: number) => void;
  /** Told before the last bytes: once the client has them, it may ask for more. */
  readonly onEnding: () => void;
}

const CHUNK_BYTES = 16 * 1024;

/** Serves bytes as a file server does: HEAD, one range, 416; and with the fault, if any. */
export async function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  { etag, fault, onSent, onEnding }: ContentOptions,
): Promise<void> {
  const has = (name: string): boolean => fault !== undefined && name in fault;
  const range = has('ignoreRange') ? undefined : parseRange(request.headers.range);
  if (range !== undefined && range.startByte >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const startByte = range?.startByte ?? 0;
  const endByte = Math.min(range?.endByte ?? content.length, content.length);
  response.writeHead(range === undefined ? 200 : 206, {
    etag: `"${etag}"`,
    'content-length': endByte - startByte,
    ...(!has('ignoreRange') && { 'accept-ranges': 'bytes' }),
    ...(range && { 'content-range': `bytes ${startByte}-${endByte - 1}/${content.length}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const body = content.subarray(startByte, endByte);
  const bytes = has('wrongContent') ? body.map((byte) => byte ^ 0xff) : body;
  await sendBody(response, bytes, {
    fault,
    onEnding,
    onSent: (at, length) => onSent(startByte + at, length),
  });
}

async function sendBody(
  response: ServerResponse,
  bytes: Uint8Array,
  { fault, onSent, onEnding }: Omit<ContentOptions, 'etag'>,
): Promise<void> {
  const cut = fault && 'cutAfterBytes' in fault ? fault.cutAfterBytes : undefined;
  const stall = fault && 'stallAfterBytes' in fault ? fault.stallAfterBytes : undefined;
  const speed = fault && 'bytesPerSec' in fault ? fault.bytesPerSec : undefined;
  const stopByte = Math.min(cut ?? stall ?? bytes.length, bytes.length);
  const chunkBytes = speed === undefined ? CHUNK_BYTES : Math.max(1, Math.floor(speed / 50));
  for (let at = 0; at < stopByte && !response.destroyed; at += chunkBytes) {
    const chunk = bytes.subarray(at, Math.min(at + chunkBytes, stopByte));
    if (at + chunkBytes >= stopByte) onEnding();
    await new Promise<void>((resolve) => response.write(chunk, () => resolve()));
    onSent(at, chunk.length);
    if (speed !== undefined) await wait(20);
  }
  if (stall !== undefined) return; // the client has to lose patience
  if (cut === undefined) response.end();
  else {
    await wait(20); // what has been written shall arrive before the end does
    response.destroy();
  }
}

function parseRange(header: string | undefined) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return undefined;
  return { startByte: Number(first), endByte: last ? Number(last) + 1 : Number.POSITIVE_INFINITY };
}
