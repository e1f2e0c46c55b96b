// How any bucket is reached: one client of the AWS SDK, with our patience instead of its own.

import { S3Client } from "@aws-sdk/client-s3";

export interface S3Place {
  /** Another store than AWS, addressed path-style; null: AWS. */
  readonly endpoint: string | null;
  /** Default us-east-1. */
  readonly region?: string;
  /** Static keys; null: the SDK's default chain (task role, profile). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** Whose keys of ~/.aws the default chain takes; missing: the default ones. */
  readonly profile?: string;
}

/** Milliseconds to connect, and between two pieces of a conversation: a store that is silent for longer has lost us. */
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** Makes a client; nothing is asked of the service yet. */
export function makeS3Client({ region, endpoint, credentials, profile }: S3Place): S3Client {
  return new S3Client({
    region: region ?? "us-east-1",
    // A bucket in another region than was said is asked for there, instead of failing.
    followRegionRedirects: true,
    // retry.ts is the only one who tries again; a second one inside would multiply the attempts.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: IDLE_TIMEOUT_MS },
    ...(credentials === null ? {} : { credentials: { ...credentials } }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === null
      ? {}
      : {
          endpoint,
          forcePathStyle: true,
          // Stores other than AWS often lack the newer checksums; the signed SHA-256 protects what is put just as well.
          requestChecksumCalculation: "WHEN_REQUIRED" as const,
          responseChecksumValidation: "WHEN_REQUIRED" as const,
        }),
  });
}
