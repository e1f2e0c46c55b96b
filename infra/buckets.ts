// The two buckets of a stage: the published sites, a folder for each namespace, and the private one of artifacts and of the ledgers' large blobs.

import { Aws, type RemovalPolicy } from "aws-cdk-lib";
import { CfnBucket, CfnBucketPolicy } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

import { PRODUCTION } from "../src/settings/namespace.ts";
import type { Settings } from "./settings.ts";
import { denyPlainHttp, policy, type Statement } from "./statements.ts";
import type { Stage } from "./target.ts";

/** Days after which parts of an upload that was never finished go. */
const UPLOAD_DAYS = 7;
/** Days for which a file that was overwritten or deleted can be fetched back. */
const VERSION_DAYS = 30;
/** A bucket's website has one page for what is missing: the one of the deployment that most people see. */
export const FIRST_NAMESPACE: Readonly<Record<Stage, string>> = {
  develop: "staging",
  prod: PRODUCTION,
};

/** Makes both buckets. */
export function makeBuckets(
  scope: Construct,
  props: {
    readonly stage: Stage;
    readonly site: Settings["site"];
    readonly policy: RemovalPolicy;
    /** Where who read and wrote is recorded; null: nowhere. */
    readonly records: CfnBucket | null;
  },
): { readonly site: CfnBucket; readonly work: CfnBucket } {
  const site = makeSiteBucket(scope, props.site, FIRST_NAMESPACE[props.stage]);
  const work = makeBucket(scope, "Work", { isPublic: false, isVersioned: true }, {});
  new CfnBucketPolicy(scope, "WorkPolicy", {
    bucket: work.ref,
    policyDocument: policy(denyPlainHttp("s3:*", [work.attrArn, `${work.attrArn}/*`])),
  });
  for (const [name, bucket] of Object.entries({ site, work })) {
    bucket.applyRemovalPolicy(props.policy);
    if (props.records === null) continue;
    bucket.loggingConfiguration = {
      destinationBucketName: props.records.ref,
      logFilePrefix: `s3/${name}/`,
    };
  }
  return { site, work };
}

function makeSiteBucket(scope: Construct, kind: Settings["site"], first: string): CfnBucket {
  const isPublic = kind === "website";
  const website = { indexDocument: "index.html", errorDocument: `${first}/404.html` };
  const bucket = makeBucket(
    scope,
    "Sites",
    // Every run can make the site again, so its old versions are worth nothing.
    { isPublic, isVersioned: false },
    isPublic ? { websiteConfiguration: website } : {},
  );
  const objects = `${bucket.attrArn}/*`;
  const statements: readonly Statement[] = isPublic
    ? [
        {
          Sid: "Everybody",
          Effect: "Allow",
          Principal: "*",
          Action: "s3:GetObject",
          Resource: objects,
        },
      ]
    : [
        {
          Sid: "CloudFrontOfThisAccount",
          Effect: "Allow",
          Principal: { Service: "cloudfront.amazonaws.com" },
          Action: "s3:GetObject",
          Resource: objects,
          Condition: {
            ArnLike: {
              "aws:SourceArn": `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/*`,
            },
          },
        },
        // A bucket's website has no HTTPS; where there is CloudFront, nobody needs the plain one.
        denyPlainHttp("s3:*", [bucket.attrArn, objects]),
      ];
  new CfnBucketPolicy(scope, "SitesPolicy", {
    bucket: bucket.ref,
    policyDocument: policy(...statements),
  });
  return bucket;
}

function makeBucket(
  scope: Construct,
  id: string,
  { isPublic, isVersioned }: { readonly isPublic: boolean; readonly isVersioned: boolean },
  more: { readonly websiteConfiguration?: CfnBucket.WebsiteConfigurationProperty },
): CfnBucket {
  return new CfnBucket(scope, id, {
    ...more,
    bucketEncryption: {
      serverSideEncryptionConfiguration: [
        { serverSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
      ],
    },
    ownershipControls: { rules: [{ objectOwnership: "BucketOwnerEnforced" }] },
    publicAccessBlockConfiguration: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: !isPublic,
      restrictPublicBuckets: !isPublic,
    },
    ...(isVersioned ? { versioningConfiguration: { status: "Enabled" } } : {}),
    lifecycleConfiguration: {
      rules: [
        {
          id: "unfinished uploads",
          status: "Enabled",
          abortIncompleteMultipartUpload: { daysAfterInitiation: UPLOAD_DAYS },
        },
        ...(isVersioned
          ? [
              {
                id: "old versions",
                status: "Enabled",
                noncurrentVersionExpiration: { noncurrentDays: VERSION_DAYS },
                expiredObjectDeleteMarker: true,
              },
            ]
          : []),
      ],
    },
  });
}
