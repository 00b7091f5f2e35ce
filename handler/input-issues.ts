import type { z } from 'zod';

/** A name that may be repeated in a message; anything else could be someone's speech. */
const FIELD_NAME = /^[\w.-]{1,64}$/;

/** All issues in one line: which field, what was expected, what type was found; never a value. */
export const describeIssues = (issues: readonly z.core.$ZodIssue[]): string =>
  issues.map(describeIssue).join('; ');

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = pathOf(issue.path);
  if (issue.code !== 'unrecognized_keys') return `${path || 'input'}: ${issue.message}`;
  const names = issue.keys.map(nameOf).join(', ');
  return `${path ? `${path}: ` : ''}unknown field${issue.keys.length > 1 ? 's' : ''} ${names}`;
}

const nameOf = (key: string): string =>
  FIELD_NAME.test(key) ? key : `of ${key.length} characters`;

const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
