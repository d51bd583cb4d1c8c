/**
 * The listener on TLS, with the client's own transport on the other side.
 */
import { Acl, ZooKeeper } from "@effect-zookeeper/client"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { atOnce, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { certificates, type Pair } from "../../../transport/test/support/certificates.ts"
import { EmbeddedServer, layer } from "../../src/EmbeddedServer.ts"
import type { ServerTls } from "../../src/ServerTls.ts"

/** A server on TLS and a client of it, which shows a certificate if there is one to show. */
const session = Effect.fnUntraced(function* <A, E>(
  options: Partial<ServerTls>,
  shown: Pair | undefined,
  use: (zk: ZooKeeper.ZooKeeper["Service"]) => Effect.Effect<A, E>
) {
  const { ca, server } = yield* certificates
  const tls = { cert: server.cert, key: Redacted.make(server.key), ca, ...options }
  const member = yield* Effect.provide(EmbeddedServer, yield* Layer.build(layer({ tls })))
  assert.match(member.connectString, /^tls:\/\/127\.0\.0\.1:\d+$/)
  const proof = shown === undefined ? {} : { cert: shown.cert, key: Redacted.make(shown.key) }
  const clientOptions = { servers: member.connectString, connectTimeout: "2 seconds", tls: { ca, ...proof } } as const
  return yield* Effect.flatMap(ZooKeeper.ZooKeeper, use).pipe(Effect.provide(ZooKeeper.layer(clientOptions)))
})

describe("TLS", () => {
  it.live("serves a client that trusts its certificate", () =>
    session({}, undefined, (zk) =>
      Effect.gen(function* () {
        yield* zk.create("/x", { data: new Uint8Array(300_000) })
        assert.strictEqual((yield* zk.getData("/x")).length, 300_000)
      })
    )
  )

  it.live("sends all that is read at once", () =>
    session({}, undefined, (zk) =>
      Effect.gen(function* () {
        yield* zk.create("/x", { data: new Uint8Array(200_000) })
        const read = yield* atOnce(Effect.replicate(zk.getData("/x"), 100))
        assert.isTrue(read.every(({ length }) => length === 200_000))
      })
    )
  )

  itLive("knows a client by its certificate, and lets ACLs name it", function* () {
    const { client } = yield* certificates
    yield* session({ clientAuth: "need" }, client, (zk) =>
      Effect.gen(function* () {
        yield* zk.create("/mine", { acl: Acl.creator })
        assert.deepStrictEqual([...(yield* zk.getAcl("/mine")).acl], [Acl.x509("CN=client", Acl.Perms.ALL)])
        assert.strictEqual((yield* zk.set("/mine", "x")).version, 1)
      })
    )
  })

  itLive("makes the owner of the named certificate the super user", function* () {
    const { client } = yield* certificates
    yield* session({ clientAuth: "want", superUser: "CN=client" }, client, (zk) =>
      Effect.gen(function* () {
        yield* zk.create("/nobody", { acl: [Acl.world(0)] })
        yield* zk.set("/nobody", "x")
      })
    )
  })

  itLive("refuses a client without a certificate where one is needed", function* () {
    yield* failure(
      session({ clientAuth: "need" }, undefined, () => Effect.void),
      "ConnectFailed"
    )
  })
})
