import type { IncomingMessage } from 'node:http';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { inspectMedia } from '../../audio/media-type.ts';
import { createSpoolFolder, type SpoolFolder, writeAt } from '../../audio/spool.ts';
import { SttError } from '../../core/errors.ts';
import type { Upload } from '../jobs/contracts.ts';
import { JOB_JSON } from '../json-limits.ts';
import type { UploadShare } from '../tenants/upload-space.ts';
import { assertFormLanguageKnown } from './known-languages.ts';
import type { ServiceContext } from './service-context.ts';
import { maxUploadBytes } from './status-route.ts';

const MAX_FIELD_BYTES = 256 * 1024;
const MAX_FIELDS = 64;
/** As much as a job in JSON may hold beside its audio. */
const MAX_FIELDS_CHARS = JOB_JSON.maxChars;
const MAX_HEADER_PAIRS = 32;
/** What a refused client may go on sending, so that it gets to read its answer. */
const MAX_DISCARDED_BYTES = 32 * 1024 * 1024;

/** A file that was received; its name and its declared type were never looked at. */
export interface ReceivedUpload extends Upload {
  /** Removes the file and its folder; may be called again. */
  remove(): Promise<void>;
}

export interface ReceivedForm {
  /** Every value under its name, in order; a name may end in `[]`, which is left out. */
  readonly fields: ReadonlyMap<string, readonly unknown[]>;
  readonly upload: ReceivedUpload | null;
}

/**
 * Reads a multipart form with one file, called `file`, straight to disk; fields may come before or
 * after it; what the former say may refuse the file before it is read. Either the caller gets an upload to remove, or nothing is left.
 * @throws {SttError} INPUT_INVALID, LANGUAGE_UNSUPPORTED, AUDIO_EMPTY, AUDIO_TOO_LARGE, AUDIO_UNSUPPORTED, QUEUE_LIMITED,
 * SERVICE_BUSY, DISK_FULL
 */
export async function receiveForm(
  request: FastifyRequest,
  { config, uploadSpace, slot }: Pick<ServiceContext, 'config' | 'uploadSpace' | 'slot'>,
  signal: AbortSignal,
): Promise<ReceivedForm> {
  const { spoolDir, maxBytes } = config.audio;
  const share = uploadSpace.open(request.caller.tenant);
  const form: OpenForm = { fields: new Map(), spool: undefined, upload: null, share };
  try {
    await readParts(request, form, {
      spoolDir,
      maxBytes: maxUploadBytes(request.caller, maxBytes),
      onFile: () => assertFormLanguageKnown(form.fields, { slot }),
    });
    signal.throwIfAborted();
    return form;
  } catch (thrown) {
    await form.spool?.remove();
    share.release();
    discardRest(request.raw);
    if (signal.aborted) throw signal.reason;
    throw toFormError(thrown);
  }
}

interface OpenForm {
  readonly fields: Map<string, unknown[]>;
  spool: SpoolFolder | undefined;
  upload: ReceivedUpload | null;
  readonly share: UploadShare;
}

interface FormLimits {
  readonly maxBytes: number;
  readonly spoolDir: string | undefined;
  /** Called before the file is read; what it throws refuses it. */
  readonly onFile: () => void;
}

async function readParts(
  request: FastifyRequest,
  form: OpenForm,
  { maxBytes, spoolDir, onFile }: FormLimits,
): Promise<void> {
  const parts = request.parts({
    limits: {
      fileSize: maxBytes + 1,
      files: 1,
      fields: MAX_FIELDS,
      fieldSize: MAX_FIELD_BYTES,
      headerPairs: MAX_HEADER_PAIRS,
      parts: MAX_FIELDS + 1,
    },
  });
  let fieldsChars = 0;
  for await (const part of parts) {
    if (part.type === 'file') {
      if (part.fieldname !== 'file') throw invalid('file: the recording must be in this field');
      onFile();
      form.spool = await createSpoolFolder(spoolDir);
      form.upload = await saveFile(part.file, form.spool, { maxBytes, share: form.share });
      continue;
    }
    if (part.valueTruncated || part.fieldnameTruncated) {
      throw new SttError('REQUEST_TOO_LARGE', `A field is longer than ${MAX_FIELD_BYTES} bytes`);
    }
    fieldsChars += String(part.value).length;
    if (fieldsChars > MAX_FIELDS_CHARS) {
      const message = `The fields together are longer than ${MAX_FIELDS_CHARS} characters`;
      throw new SttError('REQUEST_TOO_LARGE', message);
    }
    const name = part.fieldname.replace(/\[\]$/, '');
    form.fields.set(name, [...(form.fields.get(name) ?? []), part.value]);
  }
}

async function saveFile(
  file: MultipartFile['file'],
  spool: SpoolFolder,
  { maxBytes, share }: { readonly maxBytes: number; readonly share: UploadShare },
): Promise<ReceivedUpload> {
  const { path, handle } = await spool.createFile();
  let bytes = 0;
  for await (const chunk of file) {
    if (bytes + chunk.length > maxBytes) {
      throw new SttError('AUDIO_TOO_LARGE', `More than the ${maxBytes} bytes that are allowed`);
    }
    share.add(chunk.length);
    bytes = await writeAt(handle, chunk, bytes);
  }
  await inspectMedia(path);
  const remove = async (): Promise<void> => {
    await spool.remove();
    share.release();
  };
  return { path, bytes, remove };
}

function toFormError(thrown: unknown): unknown {
  if (thrown instanceof SttError || !(thrown instanceof Error)) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  switch (code) {
    case 'FST_INVALID_MULTIPART_CONTENT_TYPE':
      return thrown;
    case 'FST_FILES_LIMIT':
      return invalid('file: one recording is expected, more were sent');
    case 'FST_PARTS_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return invalid(`at most ${MAX_FIELDS} fields are expected, more were sent`);
    case 'ENOSPC':
      return new SttError('DISK_FULL', 'The spool folder is full', { cause: thrown });
    default:
      return new SttError('INPUT_INVALID', 'The multipart form is malformed or cut off', {
        cause: thrown,
      });
  }
}

const invalid = (message: string): SttError => new SttError('INPUT_INVALID', message);

/** The rest of a refused body is read and forgotten, up to a limit. */
function discardRest(message: IncomingMessage): void {
  let discardedBytes = 0;
  message.unpipe();
  message.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > MAX_DISCARDED_BYTES) message.destroy();
  });
  message.resume();
}
