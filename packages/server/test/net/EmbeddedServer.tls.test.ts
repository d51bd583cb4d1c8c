/**
 * The listener on TLS, with the client's own transport on the other side.
 */
import { Acl, ZooKeeper } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { atOnce, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { certificates, type Pair } from "../../../transport/test/support/certificates.ts"
import { EmbeddedServer, layer } from "../../src/EmbeddedServer.ts"
import type { ServerTls } from "../../src/ServerTls.ts"

/** A server on TLS and a client of it, which shows a certificate if there is one to show. */
const session = Effect.fnUntraced(function* <Eff extends Effect.Effect<unknown, unknown>>(
  options: Partial<ServerTls>,
  shown: Pair | undefined,
  steps: (zk: ZooKeeper.Service) => Generator<Eff, void, never>
) {
  const { ca, server } = yield* certificates
  const tls = { cert: server.cert, key: Redacted.make(server.key), ca, ...options }
  const member = yield* Effect.provide(EmbeddedServer, yield* Layer.build(layer({ tls })))
  assert.match(member.connectString, /^tls:\/\/127\.0\.0\.1:\d+$/)
  const proof = shown === undefined ? {} : { cert: shown.cert, key: Redacted.make(shown.key) }
  const clientOptions = { servers: member.connectString, connectTimeout: "2 seconds", tls: { ca, ...proof } } as const
  const zk = yield* clientOf(ZooKeeper.layer(clientOptions))
  yield* Effect.gen(() => steps(zk))
})

describe("TLS", () => {
  itLive("serves a client that trusts its certificate, and sends all that is read at once", function* () {
    yield* session({}, undefined, function* (zk) {
      yield* zk.create("/x", { data: new Uint8Array(300_000) })
      const read = yield* atOnce(Effect.replicate(zk.getData("/x"), 100))
      assert.isTrue(read.every(({ length }) => length === 300_000))
    })
  })

  itLive("knows a client by its certificate, and lets ACLs name it", function* () {
    const { client } = yield* certificates
    yield* session({ clientAuth: "need" }, client, function* (zk) {
      yield* zk.create("/mine", { acl: Acl.creator })
      assert.deepStrictEqual([...(yield* zk.getAcl("/mine")).acl], [Acl.x509("CN=client", Acl.Perms.ALL)])
      assert.strictEqual((yield* zk.set("/mine", "x")).version, 1)
    })
  })

  itLive("makes the owner of the named certificate the super user", function* () {
    const { client } = yield* certificates
    yield* session({ clientAuth: "want", superUser: "CN=client" }, client, function* (zk) {
      yield* zk.create("/nobody", { acl: [Acl.world(0)] })
      yield* zk.set("/nobody", "x")
    })
  })

  itLive("refuses a client without a certificate where one is needed", function* () {
    yield* failure(
      session({ clientAuth: "need" }, undefined, function* () {}),
      "ConnectFailed"
    )
  })
})
