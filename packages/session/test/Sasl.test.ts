import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Sasl from "@effect-zookeeper/session/Sasl"
import { SaslError } from "@effect-zookeeper/session/SaslError"
import * as Session from "@effect-zookeeper/session/Session"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const connect = (servers: string, sasl: Sasl.SaslMechanism | undefined) =>
  Effect.map(
    Layer.build(Layer.provide(Session.layer({ servers, sasl, connectTimeout: "3 seconds" }), Transport.layer())),
    (context) => Context.get(context, Session.Session)
  )

const bob = (password: string) => Sasl.digestMd5({ username: "bob", password: Redacted.make(password) })

class SaslServer extends Context.Service<SaslServer, ZooKeeperServer.ZooKeeperServer>()("test/SaslServer") {
  static readonly layer = Layer.effect(SaslServer, ZooKeeperServer.make({ sasl: "required" }))
}

layer(SaslServer.layer, { excludeTestServices: true, timeout: "60 seconds" })(
  "SASL on a server that requires it",
  (it) => {
    it.effect("gives the session its identity, on every connection", () =>
      Effect.gen(function* () {
        const server = yield* SaslServer
        const proxy = yield* FaultProxy.make(server)
        const session = yield* connect(proxy.connectString, bob("bobsecret"))
        const acl = [Acl.sasl("bob", Acl.Perms.ALL)]
        const request = { path: "/bobs", data: null, acl, flags: 0 }
        yield* session.request(Operations.create, request, "/bobs")
        const { id } = session.info
        yield* proxy.dropAll("rst")
        const reply = yield* session.request(Operations.getData, { path: "/bobs", watch: false }, "/bobs")
        assert.strictEqual(reply.stat.version, 0)
        assert.strictEqual(session.info.id, id)
      })
    )

    it.effect("ends with AuthFailed at a wrong password, and the error holds no secret", () =>
      Effect.gen(function* () {
        const server = yield* SaslServer
        const error = yield* Effect.flip(connect(server.connectString, bob("not the password")))
        assert.strictEqual(error._tag, "AuthFailed")
        assert.notInclude(`${error.message} ${JSON.stringify(error)} ${error.stack}`, "not the password")
      })
    )

    it.effect("refuses what comes from a session without an identity", () =>
      Effect.gen(function* () {
        const server = yield* SaslServer
        const session = yield* connect(server.connectString, undefined)
        const error = yield* Effect.flip(session.request(Operations.getData, { path: "/", watch: false }, "/"))
        assert.strictEqual(error._tag, "ServerRefused")
        if (error._tag === "ServerRefused") assert.strictEqual(error.name, "SessionClosedRequireSaslAuth")
      })
    )

    it.effect("breaks off when the server cannot prove that it knows the password", () =>
      Effect.gen(function* () {
        const server = yield* SaslServer
        const honest = bob("bobsecret")
        const lied: Sasl.SaslMechanism = {
          name: honest.name,
          begin: (to) =>
            Effect.map(honest.begin(to), (exchange) => ({
              initial: exchange.initial,
              answer: (challenge) => {
                const text = new TextDecoder().decode(challenge)
                return exchange.answer(new TextEncoder().encode(text.replace(/rspauth=./, "rspauth=x")))
              }
            }))
        }
        const error = yield* Effect.flip(connect(server.connectString, lied))
        assert.strictEqual(error._tag, "AuthFailed")
        assert.include(error.message, "could not prove")
      })
    )

    it.effect("takes a mechanism that an application brings, and stops one that never ends", () =>
      Effect.gen(function* () {
        const server = yield* SaslServer
        const endless: Sasl.SaslMechanism = {
          name: "ENDLESS",
          begin: () => Effect.succeed({ initial: new Uint8Array(0), answer: () => Effect.succeed(new Uint8Array(0)) })
        }
        const error = yield* Effect.flip(connect(server.connectString, endless))
        assert.strictEqual(error._tag, "AuthFailed")
        const unwilling: Sasl.SaslMechanism = {
          name: "UNWILLING",
          begin: () => Effect.fail(new SaslError({ reason: "there is no ticket" }))
        }
        assert.include((yield* Effect.flip(connect(server.connectString, unwilling))).message, "there is no ticket")
      })
    )
  }
)

describe("SASL on a server that knows none", () => {
  it.live("is never passed over in silence", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(connect(TestServer.connectString(), bob("bobsecret")))
      assert.strictEqual(error._tag, "AuthFailed")
      assert.include(error.message, "JAAS")
    })
  )
})
