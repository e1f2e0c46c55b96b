// The variables that all jobs share, with what they mean. A job's own stand in its settings.

export interface Variable {
  readonly name: string;
  /** The heading it stands below in .env.example. */
  readonly group: string;
  readonly secret: boolean;
  /** What holds when it is not set, in words or as the value. */
  readonly fallback: string;
  readonly example: string;
  readonly description: string;
}

/** The variables that all jobs share; .env.example and the README's table are compared with them and the jobs' own by a test. */
export const SHARED_VARIABLES: readonly Variable[] = [
  variable(
    "HDASH_DB_HOST",
    "Database",
    "(embedded database)",
    "db.example.org",
    "Postgres host; without it hdash keeps an embedded database in HDASH_HOME",
  ),
  variable("HDASH_DB_PORT", "Database", "5432", "5432", "Postgres port"),
  variable("HDASH_DB_USER", "Database", "", "hdash", "Postgres user; needed with HDASH_DB_HOST"),
  secret(
    "HDASH_DB_PASSWORD",
    "Database",
    "",
    "correct-horse-battery-staple",
    "Its password; needed with HDASH_DB_HOST",
  ),
  secret(
    "HDASH_DB_ROLE_PASSWORD",
    "Database",
    "",
    "four-horses-and-a-spare-battery",
    "Password for the namespace's role; only hdash-util role reads it",
  ),
  variable("HDASH_DB_NAME", "Database", "", "hdash", "Database name; needed with HDASH_DB_HOST"),
  variable(
    "HDASH_DB_SCHEMA",
    "Database",
    "hdash (hdash_NAMESPACE with one)",
    "hdash",
    "Postgres schema that holds hdash's tables; made at start-up",
  ),
  variable(
    "HDASH_DB_TLS",
    "Database",
    "on (off for loopback or a socket)",
    "on",
    "on: encrypt and verify the server's certificate; off: in clear, password and all",
  ),
  variable(
    "HDASH_DB_CA_FILE",
    "Database",
    "(the system's authorities)",
    "/etc/ssl/rds-ca.pem",
    "PEM file with the authority that signed the server's certificate",
  ),
  secret(
    "S3_ACCESS_KEY_ID",
    "Site",
    "(the AWS default chain)",
    "AKIAIOSFODNN7EXAMPLE",
    "Static key; without it the task role or profile is used",
  ),
  secret(
    "S3_SECRET_ACCESS_KEY",
    "Site",
    "(the AWS default chain)",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "Its secret; set both or none",
  ),
  variable(
    "S3_ENDPOINT_URL",
    "Site",
    "(AWS)",
    "https://minio.example.org",
    "Any S3-compatible store; addressed path-style",
  ),
  variable(
    "S3_REGION",
    "Site",
    "(AWS_REGION, else us-east-1)",
    "us-east-1",
    "Region of the bucket",
  ),
  variable(
    "S3_BUCKET_NAME",
    "Site",
    "(the folder HDASH_SITE_DIR)",
    "htan-dashboard",
    "Bucket that the site is published to",
  ),
  variable(
    "S3_PREFIX",
    "Site",
    "(the bucket's root; NAMESPACE with one)",
    "dashboard/",
    "Everything of the site lies below it",
  ),
  variable(
    "S3_WEB_SITE_URL",
    "Site",
    "",
    "https://htan-dashboard.example.org",
    "Where people see the site; linked in Slack",
  ),
  variable(
    "HDASH_SITE_DIR",
    "Site",
    "(HDASH_HOME/site)",
    "./site",
    "Folder that the site is published to when no bucket is set",
  ),
  secret(
    "SLACK_WEBHOOK_URL",
    "Slack",
    "(the message is logged)",
    "https://hooks.slack.com/services/T000/B000/XXXX",
    "Incoming webhook that gets one message per run",
  ),
  variable(
    "HDASH_LABEL",
    "Slack",
    "(NAMESPACE, unless that is main)",
    "staging",
    "Put before the title of Slack messages; tells deployments apart",
  ),
  variable(
    "HDASH_AGENT",
    "Provenance",
    "(nobody is named)",
    "Ada Lovelace <https://orcid.org/0000-0002-1825-0097>",
    "Who runs this hdash, as RO-Crates name them",
  ),
  variable(
    "HDASH_LICENCE",
    "Provenance",
    "(none is given)",
    "CC-BY-4.0",
    "SPDX id or URL of the licence of RO-Crates",
  ),
  variable(
    "NAMESPACE",
    "Worker",
    "(none: a deployment of its own)",
    "staging",
    "Which of the deployments in an account this is: its folder, schema and artifacts",
  ),
  variable(
    "HDASH_WORK_BUCKET",
    "Worker",
    "(hdash's own views and lists)",
    "hdash-work",
    "Private bucket: the artifacts of every namespace, and large blobs beside Postgres",
  ),
  variable(
    "HDASH_HOME",
    "Worker",
    ".hdash",
    "/var/lib/hdash",
    "Folder for the embedded database, its blobs and scratch files",
  ),
  variable(
    "HDASH_ALLOW_HTTP",
    "Worker",
    "0",
    "0",
    "1: credentials may go to another machine in clear (http://)",
  ),
  variable("HDASH_CONCURRENCY", "Worker", "8", "8", "Steps at work at the same time"),
  variable("HDASH_LOG_LEVEL", "Worker", "info", "debug", "debug, info, warn or error"),
  variable(
    "HDASH_LOG_FORMAT",
    "Worker",
    "auto",
    "json",
    "auto (live view on a terminal, else plain), plain or json",
  ),
];

/** Describes a variable. */
export function variable(
  name: string,
  group: string,
  fallback: string,
  example: string,
  description: string,
): Variable {
  return { name, group, secret: false, fallback, example, description };
}

/** Describes a variable whose value is never printed. */
export function secret(
  name: string,
  group: string,
  fallback: string,
  example: string,
  description: string,
): Variable {
  return { ...variable(name, group, fallback, example, description), secret: true };
}
