/**
 * The answers of a server of 3.9 that differ from those of 3.8, watches aside.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import type { Options } from "../../src/EmbeddedServer.ts"
import { open, start } from "../support/harness.ts"

const node = { path: "/a", data: null, acl: open, flags: 0 }

const secret = [{ perms: Acl.Perms.ALL, scheme: "digest", id: "bob:hash" }]

/** A server and two clients of it; `/secret` may be read by neither. */
const world = (version: Options["version"]) => {
  const { client, harness } = start({ version })
  harness.ask(client, Operations.create, { path: "/secret", data: null, acl: secret, flags: 0 })
  return { harness, client }
}

const expected = {
  "3.8": {
    exists: 0,
    missed: ["NodeDataChanged /secret", "NodeDeleted /gone"],
    create2: "create",
    unknownMode: 0,
    container: "persistent znode",
    ipv6: codes.InvalidACL
  },
  "3.9": {
    exists: codes.NoAuth,
    missed: ["NodeDeleted /gone"],
    create2: "create2",
    unknownMode: codes.MarshallingError,
    container: "container",
    ipv6: 0
  }
} as const

for (const version of ["3.8", "3.9"] as const) {
  const { container, create2, exists, ipv6, missed, unknownMode } = expected[version]

  describe(`a server of ${version}`, () => {
    it(`answers exists without READ with ${exists}`, () => {
      const { client, harness } = world(version)
      assert.strictEqual(harness.ask(client, Operations.exists, { path: "/secret", watch: true }).err, exists)
      assert.strictEqual(harness.ask(client, Operations.exists, { path: "/none", watch: true }).err, codes.NoNode)
    })

    it(`makes up for missed changes with ${missed.length} events, of which one is for a znode without READ`, () => {
      const { client, harness } = world(version)
      const { events, outcome } = harness.ask(client, Operations.setWatches, {
        relativeZxid: 0n,
        dataWatches: ["/secret", "/gone"],
        existWatches: [],
        childWatches: []
      })
      assert.deepStrictEqual(events, [...missed])
      assert.isTrue(outcome.events.every(({ zxid }) => zxid === undefined))
    })

    const inTransaction = ({ client, harness }: ReturnType<typeof world>, operation: Operations.MultiOp) =>
      harness.ask(client, Operations.multi, [operation])

    it(`answers create2 within a transaction as ${create2}`, () => {
      const { response } = inTransaction(world(version), { operation: "create2", request: node })
      assert.strictEqual(response[0]?.operation, create2)
    })

    it(`answers a create of an unknown mode within a transaction with ${unknownMode}`, () => {
      const given = world(version)
      const { err, zxid } = inTransaction(given, { operation: "create", request: { ...node, flags: 7 } })
      assert.strictEqual(err, unknownMode)
      const next = inTransaction(given, { operation: "create", request: { ...node, acl: null } })
      assert.strictEqual(next.err, unknownMode)
      assert.strictEqual(next.zxid! - zxid!, version === "3.8" ? 1n : 0n, "whether it takes a zxid")
    })

    it(`makes of a createContainer with other flags a ${container}`, () => {
      const { response } = inTransaction(world(version), { operation: "createContainer", request: node })
      assert.strictEqual(response[0]?.operation, container === "container" ? "create2" : "create")
    })

    it(`answers an ACL with an IPv6 address with ${ipv6}`, () => {
      const { client, harness } = world(version)
      const acl = [{ perms: Acl.Perms.READ, scheme: "ip", id: "2001:db8::/32" }]
      assert.strictEqual(harness.ask(client, Operations.create, { path: "/a", data: null, acl, flags: 0 }).err, ipv6)
    })
  })
}

describe("an event", () => {
  it("has the zxid of its transaction", () => {
    const { client, harness } = world("3.9")
    harness.ask(client, Operations.exists, { path: "/a", watch: true })
    const { outcome, zxid } = harness.create(client, "/a")
    assertEach(outcome.events, (event) => event.zxid, [zxid])
  })
})
