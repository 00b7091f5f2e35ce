import { SttError } from '../../core/errors.ts';

/** A place in a list of jobs that newer and deleted jobs do not move. */
export interface JobPosition {
  readonly createdMs: number;
  readonly id: string;
}

const FORM = /^(\d{1,15})\.(.{1,128})$/s;

/** A position as clients carry it to the next page. */
export const cursorOf = ({ createdMs, id }: JobPosition): string =>
  Buffer.from(`${createdMs}.${id}`).toString('base64url');

/** @throws {SttError} INPUT_INVALID for anything but a cursor of ours. */
export function positionAt(cursor: string): JobPosition {
  const [, createdMs, id] = FORM.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (createdMs !== undefined && id !== undefined) return { createdMs: Number(createdMs), id };
  throw new SttError('INPUT_INVALID', 'cursor: expected next_cursor of another answer');
}
