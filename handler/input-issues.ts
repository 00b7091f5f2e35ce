import type { z } from 'zod';

/** Problems that an answer names; the rest are counted. */
export const MAX_ISSUES = 10;
/** A name that may be repeated in a message; anything else could be someone's speech. */
const FIELD_NAME = /^[\w.-]{1,64}$/;

/**
 * The first ten issues in one line: which field, what was expected, what type was found; never a value.
 */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const named = issues.slice(0, MAX_ISSUES).map(describeIssue);
  const left = issues.length - named.length;
  return [...named, ...(left > 0 ? [`${left} more problems`] : [])].join('; ');
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = pathOf(issue.path);
  if (issue.code !== 'unrecognized_keys') return `${path || 'input'}: ${issue.message}`;
  const names = issue.keys.slice(0, MAX_ISSUES).map(nameOf).join(', ');
  const left = issue.keys.length - MAX_ISSUES;
  const more = left > 0 ? ` and ${left} more` : '';
  const fields = `unknown field${issue.keys.length > 1 ? 's' : ''}`;
  return `${path ? `${path}: ` : ''}${fields} ${names}${more}`;
}

const nameOf = (key: string): string =>
  FIELD_NAME.test(key) ? key : `of ${key.length} characters`;

/** A key of a caller may be anything; those of our schemas are names. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${nameOf(String(key))}`))
    .join('')
    .replace(/^\./, '');
