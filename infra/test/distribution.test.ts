import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { CONTENT_SECURITY_POLICY } from "../distribution.ts";
import type { Target } from "../target.ts";
import {
  DOMAIN,
  FOO,
  MAIN,
  resourceOf,
  resourcesOf,
  shown,
  STAGING,
  synthesise,
  type Template,
  type Templates,
} from "./support/templates.ts";

let develop: Templates;
let prod: Templates;
beforeAll(() => {
  develop = synthesise(STAGING);
  prod = synthesise(MAIN, { site: "website" });
});

describe("the site", () => {
  test("is served by CloudFront from the namespace's folder, by HTTPS, with a page for what is missing", () => {
    const { DistributionConfig: config } = resourceOf(develop.namespace, "Site") as {
      DistributionConfig: Record<string, unknown>;
    };
    expect(config["Origins"]).toEqual([
      {
        Id: "site",
        DomainName: "<SiteDomain>",
        OriginPath: "/staging",
        OriginAccessControlId: "<SiteAccess>",
        S3OriginConfig: { OriginAccessIdentity: "" },
      },
    ]);
    expect(config).toMatchObject({
      DefaultRootObject: "index.html",
      DefaultCacheBehavior: {
        ViewerProtocolPolicy: "redirect-to-https",
        AllowedMethods: ["GET", "HEAD"],
        ResponseHeadersPolicyId: "<SiteHeaders>",
      },
      CustomErrorResponses: [403, 404].map((ErrorCode) => ({
        ErrorCode,
        ResponseCode: 404,
        ResponsePagePath: "/404.html",
        ErrorCachingMinTTL: 60,
      })),
    });
    expect(resourceOf(develop.base, "OriginAccess")).toEqual({
      OriginAccessControlConfig: {
        Name: "hdash-develop-<AWS::Region>",
        OriginAccessControlOriginType: "s3",
        SigningBehavior: "always",
        SigningProtocol: "sigv4",
      },
    });
  });

  test("has headers that allow what the pages need, and not more than the pages themselves say", () => {
    expect(resourceOf(develop.base, "SecurityHeaders")).toMatchObject({
      ResponseHeadersPolicyConfig: {
        Name: "hdash-develop-<AWS::Region>",
        SecurityHeadersConfig: {
          ContentSecurityPolicy: { ContentSecurityPolicy: CONTENT_SECURITY_POLICY, Override: true },
          ContentTypeOptions: { Override: true },
          FrameOptions: { FrameOption: "DENY" },
          ReferrerPolicy: { ReferrerPolicy: "no-referrer" },
          StrictTransportSecurity: { AccessControlMaxAgeSec: 31_536_000 },
        },
      },
    });
    const page = policyOf(view("partials/head"));
    const missing = policyOf(view("site/missing"));
    const hash = /style-src ([^;]+)/.exec(missing)?.[1] ?? "";
    const both = page.replace("style-src 'self'", (own) => `${own} ${hash}`);
    expect(CONTENT_SECURITY_POLICY).toBe(`${both}; frame-ancestors 'none'`);
    const header = sourcesOf(CONTENT_SECURITY_POLICY);
    for (const [directive, sources] of sourcesOf(missing)) {
      expect([directive, header.get(directive)]).toEqual([
        directive,
        expect.arrayContaining([...sources]),
      ]);
    }
  });

  test("allows no style in a page but that of the page for what is missing, by its hash", () => {
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(view("site/missing")) ?? [];
    // The template writes it as it is.
    expect(style).not.toContain("{{");
    const hash = `'sha256-${createHash("sha256").update(style).digest("base64")}'`;
    expect(sourcesOf(policyOf(view("site/missing"))).get("style-src")).toEqual([hash]);
    expect(sourcesOf(CONTENT_SECURITY_POLICY).get("style-src")).toEqual(["'self'", hash]);
    expect(sourcesOf(policyOf(view("partials/head"))).get("style-src")).toEqual(["'self'"]);
  });

  test("has the stage's own name and certificate, and TLS 1.2 at least, where the settings give them", () => {
    const of = (target: Target): unknown => {
      const { namespace } = synthesise(target, { domain: DOMAIN });
      const { DistributionConfig: config } = resourceOf(namespace, "Site") as {
        DistributionConfig: Record<string, unknown>;
      };
      expect(config["ViewerCertificate"]).toEqual({
        AcmCertificateArn: DOMAIN.certificateArn,
        SslSupportMethod: "sni-only",
        MinimumProtocolVersion: "TLSv1.2_2021",
      });
      const [task] = resourceOf(namespace, "HtanTask")["ContainerDefinitions"] as [
        { Environment: { Name: string; Value: string }[] },
      ];
      const said = task.Environment.find(({ Name }) => Name === "S3_WEB_SITE_URL")?.Value;
      expect(shown(namespace.Outputs)).toMatchObject({
        SiteUrl: { Value: said },
        SiteTarget: { Value: "<Site.DomainName>" },
      });
      return [config["Aliases"], said];
    };
    expect(of(STAGING)).toEqual([["hdash.example.org"], "https://hdash.example.org/"]);
    expect(of(MAIN)).toEqual([["hdash.example.org"], "https://hdash.example.org/"]);
    expect(of(FOO)).toEqual([["foo.hdash.example.org"], "https://foo.hdash.example.org/"]);
    const { DistributionConfig: plain } = resourceOf(develop.namespace, "Site") as {
      DistributionConfig: object;
    };
    expect(plain).not.toHaveProperty("Aliases");
    expect(plain).not.toHaveProperty("ViewerCertificate");
  });

  test("takes nothing of an account for each namespace but the distribution", () => {
    const types = (template: Template): readonly string[] =>
      Object.values(template.Resources)
        .map(({ Type }) => Type)
        .filter((type) => type.includes("CloudFront"))
        .sort();
    expect(types(develop.namespace)).toEqual(["AWS::CloudFront::Distribution"]);
    expect(types(develop.base)).toEqual([
      "AWS::CloudFront::OriginAccessControl",
      "AWS::CloudFront::ResponseHeadersPolicy",
    ]);
    const given = Object.values(resourcesOf(develop.base, "AWS::SSM::Parameter"));
    const values = new Map(given.map(({ Name, Value }) => [Name, Value]));
    expect(values.get("/hdash/develop/SiteAccess")).toBe("<OriginAccess.Id>");
    expect(values.get("/hdash/develop/SiteHeaders")).toBe("<SecurityHeaders.Id>");
  });

  test("is left to the bucket where that is a website", () => {
    const all = [prod.base, prod.namespace].flatMap(({ Resources }) => Object.values(Resources));
    expect(all.filter(({ Type }) => Type.includes("CloudFront"))).toEqual([]);
  });

  function view(name: string): string {
    return readFileSync(new URL(`../../views/${name}.hbs`, import.meta.url), "utf8");
  }

  function policyOf(page: string): string {
    return /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? "";
  }

  function sourcesOf(policy: string): ReadonlyMap<string, readonly string[]> {
    return new Map(
      policy.split("; ").map((part) => {
        const [directive = "", ...sources] = part.split(" ");
        return [directive, sources];
      }),
    );
  }
});
