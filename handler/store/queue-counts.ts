import type { JobCounts } from '../jobs/queue-room.ts';
import type { SqlQuery, SqlRow } from './sql-database.ts';

/** What waits and runs: of the tenant in that column, and in all. */
export async function countsOf(
  query: SqlQuery,
  tenant: string,
): Promise<{ readonly own: JobCounts; readonly all: JobCounts }> {
  const rows = await query(
    `SELECT CASE WHEN tenant = ?1 THEN 1 ELSE 0 END AS is_own, state, COUNT(*) AS jobs,
       SUM(COALESCE(upload_bytes, 0)) AS upload_bytes
     FROM jobs WHERE state IN ('queued', 'running') GROUP BY 1, 2`,
    [tenant],
  );
  return { own: sumOf(rows.filter((row) => Number(row['is_own']) === 1)), all: sumOf(rows) };
}

function sumOf(rows: readonly SqlRow[]): JobCounts {
  const jobsIn = (state: string): number =>
    rows.reduce((sum, row) => sum + (row['state'] === state ? Number(row['jobs']) : 0), 0);
  const uploadBytes = rows.reduce((sum, row) => sum + Number(row['upload_bytes']), 0);
  return { queued: jobsIn('queued'), running: jobsIn('running'), uploadBytes };
}
