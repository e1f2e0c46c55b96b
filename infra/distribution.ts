// CloudFront before a namespace's folder of the private site bucket: HTTPS, the page for what is missing, headers that browsers obey.

import { Aws } from "aws-cdk-lib";
import {
  CfnDistribution,
  CfnOriginAccessControl,
  CfnResponseHeadersPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import type { Construct } from "constructs";

import { FIRST_NAMESPACE } from "./buckets.ts";
import { baseStackName, type Imported, namespaceStackName } from "./names.ts";
import type { DomainSettings, Settings } from "./settings.ts";
import type { Stage, Target } from "./target.ts";

/** Of the style of views/site/missing.hbs, which is served for addresses at any depth and so can link no file. */
const MISSING_STYLE = "'sha256-s7OzIZ1SxwN22Isp1X+EcQcpYyJ7duyiTgJPBk8f+9U='";
/** What views/partials/head.hbs and views/site/missing.hbs allow their pages, and what only a header can say: nobody frames them. */
export const CONTENT_SECURITY_POLICY = [
  ...["default-src 'none'", "script-src 'self'", `style-src 'self' ${MISSING_STYLE}`],
  ...["img-src 'self' data:", "font-src 'self'", "connect-src 'none'", "base-uri 'none'"],
  ...["form-action 'none'", "frame-ancestors 'none'"],
].join("; ");
/** Amazon's CachingOptimized: keeps a file as long as its Cache-Control says, compressed; the same id in every account. */
const CACHE_POLICY = "658327ea-f89d-4fab-a63d-7e88639e58f6";
/** TLS 1.2 with today's ciphers, and 1.3. */
const LEAST_TLS = "TLSv1.2_2021";
const YEAR_SECONDS = 365 * 24 * 3600;
const MISSING_SECONDS = 60;

/** Makes what all distributions of a stage share: an account has room for 20 such policies, and for many more namespaces. */
export function makeSiteEdge(
  scope: Construct,
  stage: Stage,
): { readonly access: string; readonly headers: string } {
  // These names are the account's, not the region's.
  const name = `${baseStackName(stage)}-${Aws.REGION}`;
  const access = new CfnOriginAccessControl(scope, "OriginAccess", {
    originAccessControlConfig: {
      name,
      originAccessControlOriginType: "s3",
      signingBehavior: "always",
      signingProtocol: "sigv4",
    },
  });
  return { access: access.attrId, headers: makeHeaders(scope, name).attrId };
}

/** Makes the distribution of a namespace; gives the address that people see, too. */
export function makeDistribution(
  scope: Construct,
  target: Target,
  imported: Imported,
  settings: Pick<Settings, "domain" | "accessLogs">,
): { readonly distribution: CfnDistribution; readonly siteUrl: string } {
  const { domain } = settings;
  const name = domain === null ? null : siteName(target, domain);
  const distribution = new CfnDistribution(scope, "Site", {
    distributionConfig: {
      comment: namespaceStackName(target),
      enabled: true,
      // With CloudFront's own certificate the least version of TLS is not ours to choose.
      ...(domain === null || name === null
        ? {}
        : {
            aliases: [name],
            viewerCertificate: {
              acmCertificateArn: domain.certificateArn,
              sslSupportMethod: "sni-only",
              minimumProtocolVersion: LEAST_TLS,
            },
          }),
      ...(settings.accessLogs
        ? {
            logging: {
              bucket: imported("RecordDomain"),
              prefix: `cloudfront/${target.namespace}/`,
              includeCookies: false,
            },
          }
        : {}),
      httpVersion: "http2and3",
      ipv6Enabled: true,
      // North America and Europe, where the sites' readers are; the others cost more.
      priceClass: "PriceClass_100",
      defaultRootObject: "index.html",
      origins: [
        {
          id: "site",
          domainName: imported("SiteDomain"),
          originPath: `/${target.namespace}`,
          originAccessControlId: imported("SiteAccess"),
          // Empty on purpose: the access control above stands in for an identity.
          s3OriginConfig: { originAccessIdentity: "" },
        },
      ],
      defaultCacheBehavior: {
        targetOriginId: "site",
        viewerProtocolPolicy: "redirect-to-https",
        allowedMethods: ["GET", "HEAD"],
        cachedMethods: ["GET", "HEAD"],
        compress: true,
        cachePolicyId: CACHE_POLICY,
        responseHeadersPolicyId: imported("SiteHeaders"),
      },
      // Who may not list a bucket is told 403 of what is not in it.
      customErrorResponses: [403, 404].map((errorCode) => ({
        errorCode,
        responseCode: 404,
        responsePagePath: "/404.html",
        errorCachingMinTtl: MISSING_SECONDS,
      })),
    },
  });
  return { distribution, siteUrl: `https://${name ?? distribution.attrDomainName}/` };
}

/** Names the site of a namespace: the first one's is the name itself, so that one certificate for it and *.name serves all. */
function siteName({ stage, namespace }: Target, { name }: DomainSettings): string {
  return namespace === FIRST_NAMESPACE[stage] ? name : `${namespace}.${name}`;
}

function makeHeaders(scope: Construct, name: string): CfnResponseHeadersPolicy {
  return new CfnResponseHeadersPolicy(scope, "SecurityHeaders", {
    responseHeadersPolicyConfig: {
      name,
      securityHeadersConfig: {
        contentSecurityPolicy: {
          contentSecurityPolicy: CONTENT_SECURITY_POLICY,
          override: true,
        },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: "DENY", override: true },
        referrerPolicy: { referrerPolicy: "no-referrer", override: true },
        strictTransportSecurity: {
          accessControlMaxAgeSec: YEAR_SECONDS,
          includeSubdomains: false,
          preload: false,
          override: true,
        },
      },
    },
  });
}
