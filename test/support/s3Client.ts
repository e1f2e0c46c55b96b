// The real SDK as a client of the look-alike, and what its commands are refused with.

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

import type { S3Server } from "./s3Server.ts";

/** Makes a client that has the right keys and asks once. */
export function clientOf(s3: S3Server, config: S3ClientConfig = {}): S3Client {
  const { accessKeyId, secretAccessKey } = s3;
  return new S3Client({
    region: s3.region,
    endpoint: s3.url,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    ...config,
  });
}

/** The code and status of what a command is refused with. */
export async function s3Refusal(sent: Promise<unknown>): Promise<string> {
  try {
    await sent;
    return "not refused";
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata: { httpStatusCode: number } };
    return `${$metadata.httpStatusCode} ${name}`;
  }
}
