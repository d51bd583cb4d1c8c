/**
 * The cases of identities and ACLs from the suites of other clients. The number is the row of the list of telling tests; K is
 * kazoo, F Curator's framework. 6 (K test_async_auth_failure) is held by session's Reconnecting "that are refused ... end the
 * session for good", and by conformance "of a scheme that the server does not know end the session".
 */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { Acl } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { Op } from "../support/faults.ts"
import { connect, failure, text } from "../support/clients.ts"

const bob = { scheme: "digest", credentials: Redacted.make("bob:secret") }
const alice = { scheme: "digest", credentials: Redacted.make("alice:secret") }

describe("identities", () => {
  Faults.itBehindProxyWith({ auth: [bob] })(
    "of the options are there for the first request and after a reconnection (5, K test_connect_auth, test_add_auth_on_reconnect)",
    function* ({ beside, proxy, zk }) {
      yield* zk.create("/bobs", { data: "bob's", acl: Acl.creator })
      yield* failure(beside.get("/bobs"), "NoAuth")
      assert.strictEqual(text(yield* zk.getData("/bobs")), "bob's")
      const { changed } = yield* zk.getAndWatch("/bobs")
      yield* zk.addAuth(alice.scheme, alice.credentials)
      yield* zk.create("/both", { acl: Acl.creator })
      for (const _ of [1, 2]) {
        yield* Faults.breakConnections(zk, proxy)
        assert.strictEqual(text(yield* zk.getData("/bobs")), "bob's")
        if (!TestServer.isAtLeast("3.7.0")) continue
        const ids = (yield* zk.whoAmI).filter(({ scheme }) => scheme === "digest").map(({ id }) => id)
        assert.deepStrictEqual([...ids].sort(), ["alice", "bob"])
      }
      // The watch was registered behind them, for it needs them too.
      yield* zk.set("/bobs", "anew")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
      const { frames } = yield* proxy.seen
      const last = Math.max(...frames.map(({ connection }) => connection))
      const ops = frames.flatMap(({ connection, direction, op }) =>
        connection === last && direction === "up" ? [op] : []
      )
      assert.deepStrictEqual(ops.slice(0, 4), ["connect", Op.auth, Op.auth, Op.setWatches])
    }
  )
})

describe("creating below a znode of another client", () => {
  Faults.itBesideRoot(
    "fails with NoAuth and leaves no part of the path (7, K test_create_makepath_incompatible_acls)",
    function* ({ connectString, beside }) {
      const bobs = yield* connect({ servers: connectString, auth: [bob] })
      const alices = yield* connect({ servers: connectString, auth: [alice] })
      yield* bobs.createWithParents("/a/b/c", { acl: Acl.creator, parentAcl: Acl.creator })
      yield* failure(alices.createWithParents("/a/b/x/y", { acl: Acl.creator, parentAcl: Acl.creator }), "NoAuth")
      yield* failure(alices.ensurePath("/a/b/x/y"), "NoAuth")
      assert.deepStrictEqual(yield* bobs.getChildren("/a/b"), ["c"])
      yield* failure(beside.getChildren("/a"), "NoAuth")
    }
  )

  Faults.itBesideRoot(
    "names the ancestor that forbids it, and needs the permission of the nearest one alone (31, F testForbiddenAncestors)",
    function* ({ connectString, beside: zk }) {
      const bobs = yield* connect({ servers: connectString, auth: [bob] })
      yield* bobs.create("/bobs", { acl: Acl.creator })
      yield* bobs.create("/bobs/open", { acl: Acl.open })
      assert.strictEqual(yield* zk.createWithParents("/bobs/open/x/y"), "/bobs/open/x/y")
      const error = yield* failure(zk.createWithParents("/bobs/shut/y"), "NoAuth")
      assert.strictEqual(error.path, "/bobs/shut")
      assert.include(error.message, "/bobs/shut")
    }
  )
})
