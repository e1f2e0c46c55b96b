CREATE SCHEMA hdash;

CREATE TABLE hdash.atlas (
    atlas_id text NOT NULL,
    project_id text NOT NULL,
    name text NOT NULL,
    liaison text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE hdash.blob (
    digest text NOT NULL,
    bytes bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    chunks integer NOT NULL,
    encoding text NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    place text,
    CONSTRAINT blob_encoding_check CHECK ((encoding = ANY (ARRAY['zstd'::text, 'none'::text]))),
    CONSTRAINT blob_place_check CHECK (((place IS NULL) = (encoding = 'zstd'::text)))
);

CREATE TABLE hdash.blob_chunk (
    digest text NOT NULL,
    n integer NOT NULL,
    bytes bytea NOT NULL
);
ALTER TABLE ONLY hdash.blob_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE hdash.blob_part (
    whole text NOT NULL,
    path text NOT NULL,
    part text NOT NULL,
    bytes bigint NOT NULL
);

CREATE TABLE hdash.code_listing (
    digest text NOT NULL,
    listing jsonb NOT NULL
);

CREATE TABLE hdash.finding (
    ordinal integer NOT NULL,
    identity text NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    subject text NOT NULL,
    "row" integer,
    message text NOT NULL,
    fields jsonb NOT NULL,
    result_id bigint NOT NULL,
    CONSTRAINT finding_severity_check CHECK ((severity = ANY (ARRAY['error'::text, 'warning'::text, 'info'::text])))
);

CREATE TABLE hdash.kysely_migration (
    name character varying(255) NOT NULL,
    "timestamp" character varying(255) NOT NULL
);

CREATE TABLE hdash.kysely_migration_lock (
    id character varying(255) NOT NULL,
    is_locked integer DEFAULT 0 NOT NULL
);

CREATE TABLE hdash.measure (
    subject text NOT NULL,
    name text NOT NULL,
    value double precision NOT NULL,
    result_id bigint NOT NULL
);

CREATE TABLE hdash.publication (
    site text NOT NULL,
    path text NOT NULL,
    owner text NOT NULL,
    digest text NOT NULL,
    etag text NOT NULL,
    scope text,
    content_type text NOT NULL,
    bytes bigint NOT NULL,
    run_id bigint,
    published_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE hdash.run (
    id bigint NOT NULL,
    pipeline text NOT NULL,
    params jsonb NOT NULL,
    params_key text NOT NULL,
    status text NOT NULL,
    worker text,
    worker_detail jsonb,
    claimed_at timestamp with time zone,
    lease_until timestamp with time zone,
    attempt integer NOT NULL,
    build text NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    error text,
    outcome jsonb,
    publishing_site text,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    requested_by text,
    priority integer DEFAULT 0 NOT NULL,
    origin jsonb,
    CONSTRAINT run_started_check CHECK (((started_at IS NOT NULL) OR (status = ANY (ARRAY['queued'::text, 'cancelled'::text])))),
    CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'degraded'::text, 'failed'::text, 'cancelled'::text])))
);

CREATE TABLE hdash.step_run (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    scope text NOT NULL,
    step text NOT NULL,
    step_key text,
    state text NOT NULL,
    attempt integer NOT NULL,
    done double precision,
    total double precision,
    error text,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    result_id bigint,
    label text,
    CONSTRAINT step_run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'hit'::text, 'ran'::text, 'failed'::text])))
);

CREATE VIEW hdash.run_finding AS
 SELECT s.run_id,
    NULLIF(s.scope, ''::text) AS scope,
    s.step,
    s.step_key,
    f.ordinal,
    f.identity,
    f.rule,
    f.severity,
    f.subject,
    f."row",
    f.message,
    f.fields
   FROM (hdash.step_run s
     JOIN hdash.finding f ON ((f.result_id = s.result_id)))
  WHERE (s.state = ANY (ARRAY['hit'::text, 'ran'::text]));

ALTER TABLE hdash.run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME hdash.run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW hdash.run_measure AS
 SELECT s.run_id,
    NULLIF(s.scope, ''::text) AS scope,
    s.step,
    s.step_key,
    m.subject,
    m.name,
    m.value
   FROM (hdash.step_run s
     JOIN hdash.measure m ON ((m.result_id = s.result_id)))
  WHERE (s.state = ANY (ARRAY['hit'::text, 'ran'::text]));

CREATE TABLE hdash.run_scope (
    run_id bigint NOT NULL,
    scope text NOT NULL,
    status text NOT NULL,
    attempt integer NOT NULL,
    error text,
    facts_digest text,
    delta jsonb,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    title text,
    CONSTRAINT run_scope_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])))
);

CREATE TABLE hdash.step_attempt (
    step_key text NOT NULL,
    n integer NOT NULL,
    step text NOT NULL,
    run_id bigint,
    run_attempt integer NOT NULL,
    runner text NOT NULL,
    runner_id text,
    state text NOT NULL,
    resources jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    code integer,
    reason text,
    usage jsonb,
    log_digest text,
    cause text,
    message text,
    machine jsonb
);

CREATE TABLE hdash.step_claim (
    step_key text NOT NULL,
    run_id bigint NOT NULL,
    run_attempt integer NOT NULL,
    holder text NOT NULL,
    worker text NOT NULL,
    worker_detail jsonb NOT NULL,
    claimed_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone NOT NULL
);

CREATE TABLE hdash.step_log (
    step_key text NOT NULL,
    n integer NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    line text NOT NULL
);

CREATE TABLE hdash.step_result (
    step_key text NOT NULL,
    step text NOT NULL,
    version integer NOT NULL,
    document text NOT NULL,
    outputs jsonb NOT NULL,
    facts_digest text,
    ms double precision NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    run_id bigint,
    id bigint NOT NULL,
    attempt integer,
    void_why text
);

ALTER TABLE hdash.step_result ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME hdash.step_result_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE hdash.step_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME hdash.step_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE hdash.step_trust (
    id bigint NOT NULL,
    pipeline text NOT NULL,
    step text NOT NULL,
    code text NOT NULL,
    stands_for text NOT NULL,
    because text NOT NULL,
    trusted_by text,
    trusted_at timestamp with time zone DEFAULT now() NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_why text
);

ALTER TABLE hdash.step_trust ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME hdash.step_trust_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE hdash.step_verdict (
    id bigint NOT NULL,
    result_id bigint NOT NULL,
    state text NOT NULL,
    differences jsonb NOT NULL,
    build text NOT NULL,
    machine jsonb NOT NULL,
    ms double precision NOT NULL,
    checked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT step_verdict_state_check CHECK ((state = ANY (ARRAY['same'::text, 'different'::text, 'failed'::text])))
);

ALTER TABLE hdash.step_verdict ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME hdash.step_verdict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY hdash.atlas
    ADD CONSTRAINT atlas_pkey PRIMARY KEY (atlas_id);

ALTER TABLE ONLY hdash.atlas
    ADD CONSTRAINT atlas_project_id_key UNIQUE (project_id);

ALTER TABLE ONLY hdash.blob_chunk
    ADD CONSTRAINT blob_chunk_pkey PRIMARY KEY (digest, n);

ALTER TABLE ONLY hdash.blob_part
    ADD CONSTRAINT blob_part_pkey PRIMARY KEY (whole, path);

ALTER TABLE ONLY hdash.blob
    ADD CONSTRAINT blob_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY hdash.code_listing
    ADD CONSTRAINT code_listing_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY hdash.finding
    ADD CONSTRAINT finding_pkey PRIMARY KEY (result_id, ordinal);

ALTER TABLE ONLY hdash.kysely_migration_lock
    ADD CONSTRAINT kysely_migration_lock_pkey PRIMARY KEY (id);

ALTER TABLE ONLY hdash.kysely_migration
    ADD CONSTRAINT kysely_migration_pkey PRIMARY KEY (name);

ALTER TABLE ONLY hdash.measure
    ADD CONSTRAINT measure_pkey PRIMARY KEY (result_id, subject, name);

ALTER TABLE ONLY hdash.publication
    ADD CONSTRAINT publication_pkey PRIMARY KEY (site, path);

ALTER TABLE ONLY hdash.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY hdash.run_scope
    ADD CONSTRAINT run_scope_pkey PRIMARY KEY (run_id, scope);

ALTER TABLE ONLY hdash.step_attempt
    ADD CONSTRAINT step_attempt_pkey PRIMARY KEY (step_key, n);

ALTER TABLE ONLY hdash.step_claim
    ADD CONSTRAINT step_claim_pkey PRIMARY KEY (step_key);

ALTER TABLE ONLY hdash.step_log
    ADD CONSTRAINT step_log_pkey PRIMARY KEY (step_key, n, seq);

ALTER TABLE ONLY hdash.step_result
    ADD CONSTRAINT step_result_pkey PRIMARY KEY (id);

ALTER TABLE ONLY hdash.step_run
    ADD CONSTRAINT step_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY hdash.step_run
    ADD CONSTRAINT step_run_run_id_scope_step_key_key UNIQUE (run_id, scope, step_key);

ALTER TABLE ONLY hdash.step_trust
    ADD CONSTRAINT step_trust_pkey PRIMARY KEY (id);

ALTER TABLE ONLY hdash.step_verdict
    ADD CONSTRAINT step_verdict_pkey PRIMARY KEY (id);

CREATE INDEX blob_part_part ON hdash.blob_part USING btree (part);

CREATE INDEX finding_rule ON hdash.finding USING btree (rule);

CREATE INDEX finding_subject ON hdash.finding USING btree (subject);

CREATE INDEX measure_name ON hdash.measure USING btree (subject, name);

CREATE INDEX publication_run ON hdash.publication USING btree (run_id);

CREATE UNIQUE INDEX run_active ON hdash.run USING btree (pipeline, params_key) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

CREATE INDEX run_finished ON hdash.run USING btree (pipeline, finished_at DESC, id DESC) WHERE (status = ANY (ARRAY['succeeded'::text, 'degraded'::text]));

CREATE UNIQUE INDEX run_publishing ON hdash.run USING btree (publishing_site) WHERE ((publishing_site IS NOT NULL) AND (status = ANY (ARRAY['running'::text, 'cancelled'::text])));

CREATE INDEX run_queue ON hdash.run USING btree (priority DESC, requested_at, id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

CREATE INDEX step_attempt_run ON hdash.step_attempt USING btree (run_id);

CREATE INDEX step_claim_run ON hdash.step_claim USING btree (run_id);

CREATE UNIQUE INDEX step_result_attempt ON hdash.step_result USING btree (step_key, attempt) WHERE (attempt IS NOT NULL);

CREATE UNIQUE INDEX step_result_key ON hdash.step_result USING btree (step_key, id DESC);

CREATE INDEX step_result_output ON hdash.step_result USING gin (jsonb_path_query_array(outputs, '$.*."digest"'::jsonpath) jsonb_path_ops) WITH (fastupdate=off);

CREATE INDEX step_result_run ON hdash.step_result USING btree (run_id);

CREATE INDEX step_run_key ON hdash.step_run USING btree (step_key);

CREATE INDEX step_run_result ON hdash.step_run USING btree (result_id);

CREATE UNIQUE INDEX step_trust_code ON hdash.step_trust USING btree (pipeline, step, code) WHERE (withdrawn_at IS NULL);

CREATE INDEX step_verdict_result ON hdash.step_verdict USING btree (result_id, id DESC);

ALTER TABLE ONLY hdash.finding
    ADD CONSTRAINT finding_result_id_fkey FOREIGN KEY (result_id) REFERENCES hdash.step_result(id) ON DELETE CASCADE;

ALTER TABLE ONLY hdash.measure
    ADD CONSTRAINT measure_result_id_fkey FOREIGN KEY (result_id) REFERENCES hdash.step_result(id) ON DELETE CASCADE;

ALTER TABLE ONLY hdash.publication
    ADD CONSTRAINT publication_run_id_fkey FOREIGN KEY (run_id) REFERENCES hdash.run(id) ON DELETE SET NULL;

ALTER TABLE ONLY hdash.run_scope
    ADD CONSTRAINT run_scope_run_id_fkey FOREIGN KEY (run_id) REFERENCES hdash.run(id) ON DELETE CASCADE;

ALTER TABLE ONLY hdash.step_attempt
    ADD CONSTRAINT step_attempt_run_id_fkey FOREIGN KEY (run_id) REFERENCES hdash.run(id) ON DELETE SET NULL;

ALTER TABLE ONLY hdash.step_claim
    ADD CONSTRAINT step_claim_run_id_fkey FOREIGN KEY (run_id) REFERENCES hdash.run(id) ON DELETE CASCADE;

ALTER TABLE ONLY hdash.step_log
    ADD CONSTRAINT step_log_step_key_n_fkey FOREIGN KEY (step_key, n) REFERENCES hdash.step_attempt(step_key, n) ON DELETE CASCADE;

ALTER TABLE ONLY hdash.step_result
    ADD CONSTRAINT step_result_run_id_fkey FOREIGN KEY (run_id) REFERENCES hdash.run(id) ON DELETE SET NULL;

ALTER TABLE ONLY hdash.step_run
    ADD CONSTRAINT step_run_result_id_fkey FOREIGN KEY (result_id) REFERENCES hdash.step_result(id) ON DELETE SET NULL;

ALTER TABLE ONLY hdash.step_run
    ADD CONSTRAINT step_run_run_id_fkey FOREIGN KEY (run_id) REFERENCES hdash.run(id) ON DELETE CASCADE;

ALTER TABLE ONLY hdash.step_verdict
    ADD CONSTRAINT step_verdict_result_id_fkey FOREIGN KEY (result_id) REFERENCES hdash.step_result(id) ON DELETE CASCADE;
