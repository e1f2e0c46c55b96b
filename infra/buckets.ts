// The buckets of a stage, each with a folder for each namespace: the published sites; artifacts and the ledgers' large blobs; and one for each private
// place that a job of the registry has.

import { Aws, type RemovalPolicy } from "aws-cdk-lib";
import { CfnBucket, CfnBucketPolicy } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

import type { PrivatePlace } from "../src/job.ts";
import { PRODUCTION } from "../src/settings/namespace.ts";
import { idOf } from "./names.ts";
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

/** The buckets of private places, by their variables. */
export type PlaceBuckets = ReadonlyMap<string, CfnBucket>;

interface BucketProps {
  readonly stage: Stage;
  readonly site: Settings["site"];
  readonly places: readonly PrivatePlace[];
  readonly policy: RemovalPolicy;
  /** Where who read and wrote is recorded; null: nowhere. */
  readonly records: CfnBucket | null;
  /** The stage's own key, for private places; null: S3's. */
  readonly keyArn: string | null;
}

/**
 * Makes all buckets. Those of private places are there whatever the settings say: an empty bucket costs nothing, and one that went with a line
 * of the settings would take its data with it, or stay behind with data that nobody finds.
 */
export function makeBuckets(
  scope: Construct,
  props: BucketProps,
): { readonly site: CfnBucket; readonly work: CfnBucket; readonly places: PlaceBuckets } {
  const site = makeSiteBucket(scope, props.site, FIRST_NAMESPACE[props.stage]);
  const work = makePrivateBucket(scope, "Work", { isVersioned: true, keyArn: null });
  const places = new Map(
    props.places.map(({ variable, keepsVersions }) => {
      const kind = { isVersioned: keepsVersions, keyArn: props.keyArn };
      return [variable, makePrivateBucket(scope, idOf(variable), kind)] as const;
    }),
  );
  const named = [...places].map(
    ([variable, bucket]) => [variable.toLowerCase().replaceAll("_", "-"), bucket] as const,
  );
  for (const [name, bucket] of [["site", site] as const, ["work", work] as const, ...named]) {
    bucket.applyRemovalPolicy(props.policy);
    if (props.records === null) continue;
    bucket.loggingConfiguration = {
      destinationBucketName: props.records.ref,
      logFilePrefix: `s3/${name}/`,
    };
  }
  return { site, work, places };
}

function makePrivateBucket(
  scope: Construct,
  id: string,
  kind: { readonly isVersioned: boolean; readonly keyArn: string | null },
): CfnBucket {
  const bucket = makeBucket(scope, id, { ...kind, isPublic: false }, {});
  new CfnBucketPolicy(scope, `${id}Policy`, {
    bucket: bucket.ref,
    policyDocument: policy(denyPlainHttp("s3:*", [bucket.attrArn, `${bucket.attrArn}/*`])),
  });
  return bucket;
}

function makeSiteBucket(scope: Construct, kind: Settings["site"], first: string): CfnBucket {
  const isPublic = kind === "website";
  const website = { indexDocument: "index.html", errorDocument: `${first}/404.html` };
  const bucket = makeBucket(
    scope,
    "Sites",
    // Every run can make the site again, so its old versions are worth nothing.
    { isPublic, isVersioned: false, keyArn: null },
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
  {
    isPublic,
    isVersioned,
    keyArn,
  }: { readonly isPublic: boolean; readonly isVersioned: boolean; readonly keyArn: string | null },
  more: { readonly websiteConfiguration?: CfnBucket.WebsiteConfigurationProperty },
): CfnBucket {
  return new CfnBucket(scope, id, {
    ...more,
    bucketEncryption: {
      serverSideEncryptionConfiguration: [
        keyArn === null
          ? { serverSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
          : {
              serverSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
              // One question to KMS for many objects, instead of one for each.
              bucketKeyEnabled: true,
            },
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
