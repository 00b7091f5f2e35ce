-- SQLite and PostgreSQL both read this: times are milliseconds since 1970, documents are JSON text,
-- and '' stands for the tenant of a service without keys.

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
  input TEXT NOT NULL,
  upload_name TEXT,
  upload_bytes BIGINT,
  upload_volume TEXT,
  webhook_url TEXT,
  idempotency_key TEXT,
  fingerprint TEXT,
  stage TEXT,
  fraction DOUBLE PRECISION,
  output TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  lease TEXT,
  lease_until_ms BIGINT,
  run_after_ms BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  started_ms BIGINT,
  finished_ms BIGINT,
  expires_ms BIGINT
);

CREATE UNIQUE INDEX jobs_idempotency ON jobs (tenant, idempotency_key);
CREATE UNIQUE INDEX jobs_by_lease ON jobs (lease);
CREATE INDEX jobs_by_tenant ON jobs (tenant, created_ms);
CREATE INDEX jobs_by_state ON jobs (state, created_ms);
CREATE INDEX jobs_by_expiry ON jobs (expires_ms);

-- Who was served when, so that a tenant with many jobs does not keep the others waiting.
CREATE TABLE tenant_turns (
  tenant TEXT PRIMARY KEY,
  turn BIGINT NOT NULL
);

CREATE TABLE usage (
  tenant TEXT NOT NULL,
  day TEXT NOT NULL,
  jobs BIGINT NOT NULL DEFAULT 0,
  audio_sec DOUBLE PRECISION NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, day)
);

CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  tenant TEXT NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  last_status INTEGER,
  next_attempt_ms BIGINT NOT NULL,
  lease TEXT,
  created_ms BIGINT NOT NULL
);

CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (state, next_attempt_ms);
CREATE INDEX webhook_deliveries_by_job ON webhook_deliveries (job_id);
