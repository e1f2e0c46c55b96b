// What S3's errors mean: which pass by themselves, and what a person has to do about the others.

import { HdashError, isAborted, messageOf } from "../error.ts";

/** A failure as S3 words it. */
export interface S3Failure {
  /** S3's error code ("AccessDenied"), or the name of the error below it ("TimeoutError"). */
  readonly code: string;
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  readonly retryAfterMs: number | null;
}

/** Names what was being done, for messages. */
export interface S3Subject {
  /** The operation and its object, e.g. "put site/index.html to s3://bucket". */
  readonly what: string;
  readonly uri: string;
  readonly bucket: string;
  /** Null for AWS. */
  readonly endpoint: string | null;
  /** The variable that names the bucket; default S3_BUCKET_NAME. */
  readonly variable?: string | undefined;
  /** The profile whose keys were wanted. */
  readonly profile?: string | undefined;
}

/** Codes that pass by themselves although their status says that we are to blame; the last two are damage on the way. */
const PASSING_CODES = new Set([
  "RequestTimeout",
  "RequestTimeoutException",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "InternalError",
  "ServiceUnavailable",
  "OperationAborted",
  "ConditionalRequestConflict",
  "NoSuchUpload",
  "IncompleteBody",
  "BadDigest",
  "XAmzContentSHA256Mismatch",
]);

/** Names and errno codes of broken, refused and silent connections. */
const NETWORK =
  /^(TimeoutError|ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_STREAM_PREMATURE_CLOSE)$/;

/** Waits that S3 asks for are seconds; one that is longer than this (milliseconds) is a mistake of some proxy. */
const MAX_RETRY_AFTER_MS = 120_000;

/** Reads what the SDK threw. */
export function s3Failure(error: unknown): S3Failure {
  const thrown = asRecord(error);
  const metadata = asRecord(thrown["$metadata"]);
  const headers = asRecord(asRecord(thrown["$response"])["headers"]);
  const status = metadata["httpStatusCode"];
  const code = [thrown["Code"], thrown["code"], thrown["name"]].find(
    (name): name is string => typeof name === "string" && name !== "Error" && name !== "",
  );
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  return {
    code: code ?? "UnknownError",
    status: typeof status === "number" ? status : null,
    retryAfterMs: Number.isFinite(seconds) ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : null,
  };
}

/** Makes our error of what the SDK threw: its kind decides about trying again, its hint says what to do. */
export function hdashErrorOf(error: unknown, subject: S3Subject): HdashError {
  if (error instanceof HdashError) return error;
  const failure = s3Failure(error);
  const status = failure.status === null ? "" : ` (${failure.status})`;
  const says = messageOf(error);
  const detail = says === failure.code || says === "" ? "" : `: ${says}`;
  const message = `${subject.what}: ${failure.code}${status}${detail}`;
  if (isAborted(error)) return new HdashError("aborted", message, { cause: error });
  const hint = adviceOn(failure, subject);
  return new HdashError(isPassing(failure) ? "transient" : "permanent", message, {
    cause: error,
    ...(hint === null ? {} : { hint }),
    ...(failure.retryAfterMs === null ? {} : { retryAfterMs: failure.retryAfterMs }),
  });
}

function isPassing({ code, status }: S3Failure): boolean {
  if (PASSING_CODES.has(code) || NETWORK.test(code)) return true;
  // 501 means that the store will never do it.
  return status === 429 || (status !== null && status >= 500 && status !== 501);
}

/** Whoever runs an image is not the user of the machine: the file may be hidden from it, or lie where it does not look. */
const READABLE =
  'In a container it is read from /tmp/.aws by user 10001: docker run --user "$(id -u)" -v ~/.aws:/tmp/.aws:ro …';

function adviceOn({ code, status }: S3Failure, subject: S3Subject): string | null {
  const { bucket, endpoint, variable = "S3_BUCKET_NAME", profile } = subject;
  const store = endpoint === null ? "AWS" : "the store at S3_ENDPOINT_URL";
  switch (code) {
    case "AccessDenied":
    case "Forbidden":
    case "AllAccessDisabled":
      return `Allow these credentials s3:ListBucket on ${bucket} and s3:PutObject, s3:GetObject, s3:DeleteObject on its objects.`;
    case "NoSuchBucket":
      return `Make the bucket ${bucket}, or correct ${variable} or S3_ENDPOINT_URL: ${store} has no bucket of that name.`;
    case "InvalidBucketName":
      return `Correct ${variable}: it is a bucket's name without s3:// or a path.`;
    case "SignatureDoesNotMatch":
      return "Check S3_SECRET_ACCESS_KEY: it does not belong to S3_ACCESS_KEY_ID.";
    case "InvalidAccessKeyId":
      return `Check S3_ACCESS_KEY_ID: ${store} does not know it.`;
    case "ExpiredToken":
    case "InvalidToken":
      return "Get new credentials: the session token is no longer taken.";
    case "CredentialsProviderError":
      return profile === undefined
        ? `Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or run with a task role or profile that may use the bucket (AWS_PROFILE). ${READABLE}`
        : `Check that there is a profile ${profile} (AWS_PROFILE) in ~/.aws/credentials. ${READABLE}`;
    case "RequestTimeTooSkewed":
      return "Set this machine's clock: it differs from the store's by more than 15 minutes.";
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return `Set S3_REGION to the region of ${bucket}.`;
    case "ENOTFOUND":
    case "ECONNREFUSED":
      return endpoint === null
        ? "Check that this machine can reach S3."
        : "Check S3_ENDPOINT_URL: nothing answers there.";
    default:
      return status === 403 ? `Check the rights of these credentials on ${bucket}.` : null;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
