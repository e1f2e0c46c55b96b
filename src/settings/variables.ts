// Every variable that hdash reads, with what it means. Settings that people see are written here and nowhere else.

export interface Variable {
  readonly name: string;
  readonly group: "Synapse" | "Database" | "Site" | "Matrices" | "Slack" | "Worker";
  readonly secret: boolean;
  /** What holds when it is not set, in words or as the value. */
  readonly fallback: string;
  readonly example: string;
  readonly description: string;
}

/** Every variable hdash reads; .env.example and the README's table are compared with it by a test. */
export const VARIABLES: readonly Variable[] = [
  v("SYNAPSE_USER", "Synapse", "", "jdoe", "Who the token belongs to; `hdash doctor` compares it"),
  s(
    "SYNAPSE_PASSWORD",
    "Synapse",
    "",
    "eyJ0eXAiOiJKV1QiLCJ…",
    "Synapse personal access token with the scopes view and download",
  ),
  v(
    "SYNAPSE_ENDPOINT_URL",
    "Synapse",
    "https://repo-prod.prod.sagebase.org",
    "http://127.0.0.1:8080",
    "Where the Synapse REST API is",
  ),
  v(
    "SYNAPSE_MASTER_VIEW",
    "Synapse",
    "syn20446927",
    "syn20446927",
    "Entity view with one row per file and folder",
  ),
  v(
    "HDASH_DB_HOST",
    "Database",
    "(embedded database)",
    "db.example.org",
    "Postgres host; without it hdash keeps an embedded database in HDASH_HOME",
  ),
  v("HDASH_DB_PORT", "Database", "5432", "5432", "Postgres port"),
  v("HDASH_DB_USER", "Database", "", "hdash", "Postgres user; needed with HDASH_DB_HOST"),
  s(
    "HDASH_DB_PASSWORD",
    "Database",
    "",
    "correct-horse-battery-staple",
    "Its password; needed with HDASH_DB_HOST",
  ),
  v("HDASH_DB_NAME", "Database", "", "hdash", "Database name; needed with HDASH_DB_HOST"),
  v(
    "HDASH_DB_SCHEMA",
    "Database",
    "hdash (hdash_NAMESPACE with one)",
    "hdash",
    "Postgres schema that holds hdash's tables; made at start-up",
  ),
  v(
    "HDASH_DB_TLS",
    "Database",
    "off (on with a CA file)",
    "on",
    "on: encrypt and verify the server's certificate; off: plain",
  ),
  v(
    "HDASH_DB_CA_FILE",
    "Database",
    "(the system's authorities)",
    "/etc/ssl/rds-ca.pem",
    "PEM file with the authority that signed the server's certificate",
  ),
  s(
    "S3_ACCESS_KEY_ID",
    "Site",
    "(the AWS default chain)",
    "AKIAIOSFODNN7EXAMPLE",
    "Static key; without it the task role or profile is used",
  ),
  s(
    "S3_SECRET_ACCESS_KEY",
    "Site",
    "(the AWS default chain)",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "Its secret; set both or none",
  ),
  v(
    "S3_ENDPOINT_URL",
    "Site",
    "(AWS)",
    "https://minio.example.org",
    "Any S3-compatible store; addressed path-style",
  ),
  v("S3_REGION", "Site", "(AWS_REGION, else us-east-1)", "us-east-1", "Region of the bucket"),
  v(
    "S3_BUCKET_NAME",
    "Site",
    "(the folder HDASH_SITE_DIR)",
    "htan-dashboard",
    "Bucket that the site is published to",
  ),
  v(
    "S3_PREFIX",
    "Site",
    "(the bucket's root; NAMESPACE with one)",
    "dashboard/",
    "Everything of the site lies below it",
  ),
  v(
    "S3_WEB_SITE_URL",
    "Site",
    "",
    "https://htan-dashboard.example.org",
    "Where people see the site; linked in Slack",
  ),
  v(
    "HDASH_SITE_DIR",
    "Site",
    "(HDASH_HOME/site)",
    "./site",
    "Folder that the site is published to when no bucket is set",
  ),
  v(
    "MATRIX_SOURCE",
    "Matrices",
    "(no matrix figures)",
    "fresh",
    "Where expression matrices come from: fresh, canned, local or cellxgene",
  ),
  v(
    "MATRIX_SOURCE_STAGE",
    "Matrices",
    "prod",
    "dev",
    "Stage that is read: dev, integration, staging, prod or ux-dev",
  ),
  v(
    "MATRIX_SOURCE_BUCKET",
    "Matrices",
    "({stage.}project-assets.data.humancellatlas.org)",
    "my-matrices",
    "Bucket of canned matrices and of the blacklist",
  ),
  v(
    "MATRIX_TARGET_STAGE",
    "Matrices",
    "(figures go to the site)",
    "dev",
    "Stage whose bucket figures are published to",
  ),
  v(
    "MATRIX_TARGET_BUCKET",
    "Matrices",
    "(the target stage's, else the site)",
    "my-figures",
    "Bucket that figures and their pages are published to",
  ),
  v(
    "MATRIX_PUBLIC_READ",
    "Matrices",
    "0",
    "1",
    "1: objects in the target bucket are put with public-read",
  ),
  v("MATRIX_PATH", "Matrices", "", "./matrices", "Folder of a local source"),
  v(
    "MATRIX_SERVICE",
    "Matrices",
    "azul",
    "hca",
    "Who a fresh source asks: azul, azul-v0 (the older one) or hca (matrix service v1)",
  ),
  v(
    "MATRIX_ENDPOINT_URL",
    "Matrices",
    "(the service's public address)",
    "http://127.0.0.1:8081",
    "Where that service, or CELLxGENE, is",
  ),
  v("MATRIX_CATALOG", "Matrices", "(the service's own)", "dcp50", "Azul catalogue"),
  v(
    "MATRIX_COLLECTION",
    "Matrices",
    "(every public dataset)",
    "283d65eb-dd53-496d-adb7-7570c7caa443",
    "CELLxGENE collection",
  ),
  v("MATRIX_POLL_SECONDS", "Matrices", "30", "5", "How often a prepared matrix is asked for"),
  v(
    "MATRIX_BLACKLIST",
    "Matrices",
    "0",
    "1",
    "1: leave out the projects that the object `blacklist` names",
  ),
  v(
    "MATRIX_TARGET_UUIDS",
    "Matrices",
    "(all)",
    "4a95101c-9ffc-4f30-a809-f04518a23803",
    "Only these projects, separated by commas",
  ),
  v("MATRIX_FORCE", "Matrices", "0", "1", "1: do again what is up to date"),
  v(
    "MATRIX_DISK_MB",
    "Matrices",
    "(what is free, less a tenth)",
    "50000",
    "Most that downloads take in HDASH_HOME at a time",
  ),
  v(
    "MATRIX_ATLASES",
    "Matrices",
    "",
    "HTA3=4a95101c-9ffc-4f30-a809-f04518a23803",
    "Which atlas a project belongs to; its figures are shown on that atlas's page",
  ),
  s(
    "SLACK_WEBHOOK_URL",
    "Slack",
    "(the message is logged)",
    "https://hooks.slack.com/services/T000/B000/XXXX",
    "Incoming webhook that gets one message per run",
  ),
  v(
    "HDASH_LABEL",
    "Slack",
    "(NAMESPACE, unless that is main)",
    "staging",
    "Put before the title of Slack messages; tells deployments apart",
  ),
  v(
    "NAMESPACE",
    "Worker",
    "(none: a deployment of its own)",
    "staging",
    "Which of the deployments in an account this is: its folder, schema and artifacts",
  ),
  v(
    "HDASH_WORK_BUCKET",
    "Worker",
    "(hdash's own views and lists)",
    "hdash-work",
    "Private bucket with the artifacts of every namespace",
  ),
  v(
    "HDASH_HOME",
    "Worker",
    ".hdash",
    "/var/lib/hdash",
    "Folder for the embedded database, its blobs and scratch files",
  ),
  v("HDASH_CONCURRENCY", "Worker", "8", "8", "Steps at work at the same time"),
  v("HDASH_LOG_LEVEL", "Worker", "info", "debug", "debug, info, warn or error"),
  v(
    "HDASH_LOG_FORMAT",
    "Worker",
    "auto",
    "json",
    "auto (live view on a terminal, else plain), plain or json",
  ),
];

function v(
  name: string,
  group: Variable["group"],
  fallback: string,
  example: string,
  description: string,
): Variable {
  return { name, group, secret: false, fallback, example, description };
}
function s(
  name: string,
  group: Variable["group"],
  fallback: string,
  example: string,
  description: string,
): Variable {
  return { ...v(name, group, fallback, example, description), secret: true };
}
