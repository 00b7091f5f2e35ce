-- The request that brought a job, and what of it outlives a run: the job on a RunPod endpoint and
-- the seconds of audio that were counted for it.
ALTER TABLE jobs ADD COLUMN request_id TEXT;
ALTER TABLE jobs ADD COLUMN remote_id TEXT;
ALTER TABLE jobs ADD COLUMN counted_sec DOUBLE PRECISION;

CREATE INDEX jobs_by_state_and_tenant ON jobs (state, tenant);

-- Recordings that no job needs any more, for whichever process sees their folder.
CREATE TABLE forgotten_uploads (
  volume TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (volume, name)
);

-- What a gateway's jobs cost on the workers of its endpoint, by day (UTC).
CREATE TABLE worker_time (
  day TEXT PRIMARY KEY,
  jobs BIGINT NOT NULL DEFAULT 0,
  worker_sec DOUBLE PRECISION NOT NULL DEFAULT 0
);
