// Whose an address is.

import { describe, expect, test } from "vitest";

import { isPublicIp, isThisMachine } from "../src/address.ts";

describe("isPublicIp(address)", () => {
  test.each([
    "8.8.8.8",
    "52.94.76.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "[2a00:1450:4001:80b::200e]",
    "::ffff:8.8.8.8",
  ])("takes %s for everybody's", (address) => {
    expect(isPublicIp(address)).toBe(true);
  });

  test.each([
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"],
    ...[
      "169.254.170.2",
      "172.16.0.1",
      "172.31.255.255",
      "192.0.0.192",
      "192.168.1.1",
      "198.18.0.1",
    ],
    ...[
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "[::1]",
      "::ffff:127.0.0.1",
      "::ffff:a9fe:a9fe",
    ],
    ...[
      "::7f00:1",
      "64:ff9b::a9fe:a9fe",
      "2002:7f00:1::",
      "2001:0:7f00:1::",
      "fd00:ec2::254",
      "fc00::1",
    ],
    ...[
      "fe80::1",
      "fe80::1%eth0",
      "ff02::1",
      "example.org",
      "",
      "127.1",
      "0x7f000001",
      "2130706433",
    ],
  ])("does not take %s for everybody's", (address) => {
    expect(isPublicIp(address)).toBe(false);
  });
});

describe("isThisMachine(host)", () => {
  test.each([
    "/var/run/postgresql",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1",
    "127.3.2.1",
    "::1",
    "[::1]",
  ])("takes %s for this machine", (host) => {
    expect(isThisMachine(host)).toBe(true);
  });

  test.each([
    "db.example.org",
    "localhost.example.org",
    "127.example.org",
    "10.0.0.1",
    "128.0.0.1",
    "::2",
  ])("does not take %s for it", (host) => {
    expect(isThisMachine(host)).toBe(false);
  });
});
