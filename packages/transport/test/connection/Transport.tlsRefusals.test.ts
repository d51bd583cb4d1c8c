import { TlsError } from "@effect-zookeeper/transport"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { closable } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Tls from "node:tls"
import { inspect } from "node:util"
import { certificates } from "../support/certificates.ts"
import * as Servers from "../support/servers.ts"
import { bytes, connect, pullToEnd, tlsEcho } from "../support/connections.ts"

describe("over TLS", () => {
  const refusals: ReadonlyArray<
    readonly [
      name: string,
      pick: Parameters<typeof tlsEcho>[0],
      reason: TlsError.TlsReason,
      says: ReadonlyArray<string>
    ]
  > = [
    [
      "a certificate for another host",
      (c) => ({ server: c.elsewhere, client: { ca: c.ca } }),
      "WrongHost",
      ["DNS:elsewhere.test", "not for localhost"]
    ],
    [
      "a certificate for another host, dialled by IP address",
      (c) => ({ server: c.elsewhere, client: { ca: c.ca }, name: "127.0.0.1" }),
      "WrongHost",
      ["DNS:elsewhere.test", "not for 127.0.0.1"]
    ],
    [
      "a certificate for the address but not for the name",
      (c) => ({ server: c.server, client: { ca: c.ca }, name: "zk9.test" }),
      "WrongHost",
      ["IP Address:127.0.0.1", "not for zk9.test"]
    ],
    [
      "a certificate of an unknown authority",
      (c) => ({ server: c.ofAnotherCa, client: { ca: c.ca } }),
      "UnknownAuthority",
      ["issuer", "unknown", "tls.ca"]
    ],
    [
      "a certificate that only tls.ca would vouch for, without tls options",
      (c) => ({ server: c.server, client: undefined, scheme: "tls" }),
      "UnknownAuthority",
      ["issuer", "unknown", "tls.ca"]
    ],
    [
      "a self-signed certificate",
      (c) => ({ server: c.selfSigned, client: { ca: c.ca } }),
      "UnknownAuthority",
      ["self-signed"]
    ],
    ["an expired certificate", (c) => ({ server: c.expired, client: { ca: c.ca } }), "Expired", ["expired"]],
    [
      "a server with older versions of TLS alone",
      (c) => ({ server: { ...c.server, maxVersion: "TLSv1.2" }, client: { ca: c.ca, minVersion: "TLSv1.3" } }),
      "Version",
      ["tls.minVersion"]
    ],
    [
      "a client without the certificate that the server demands, TLS 1.2",
      (c) => ({ server: { ...c.server, ca: c.ca, requestCert: true, maxVersion: "TLSv1.2" }, client: { ca: c.ca } }),
      "ClientCertificate",
      ["tls.cert and tls.key"]
    ],
    [
      "a client without the certificate that the server demands, TLS 1.3",
      (c) => ({ server: { ...c.server, ca: c.ca, requestCert: true }, client: { ca: c.ca } }),
      "ClientCertificate",
      ["tls.cert and tls.key"]
    ],
    [
      "a wrong passphrase, before a byte is sent",
      (c) => ({
        server: c.server,
        client: { ca: c.ca, pfx: Redacted.make(c.clientPfx), passphrase: Redacted.make("wrong-passphrase") }
      }),
      "Options",
      ["tls.passphrase does not open tls.pfx"]
    ]
  ]
  for (const [name, pick, reason, says] of refusals) {
    itLive(`${name} is refused`, function* () {
      const error = yield* Effect.flip(tlsEcho(pick))
      assert.strictEqual(error.reason, "Tls", error.message)
      assert.instanceOf(error.cause, TlsError.TlsError)
      assert.strictEqual(error.cause.reason, reason)
      for (const piece of says) assert.include(error.message, piece)
    })
  }

  itLive("no error shows a key or a passphrase", function* () {
    const key = Redacted.make("-----BEGIN PRIVATE KEY-----\ncanary-key\n-----END PRIVATE KEY-----")
    const error = yield* Effect.flip(
      tlsEcho((c) => ({
        server: c.server,
        client: { ca: c.ca, cert: c.client.cert, key, passphrase: Redacted.make("canary-passphrase") }
      }))
    )
    assert.strictEqual(error.reason, "Tls")
    assert.notInclude(inspect(error, { depth: 10, showHidden: true }), "canary")
  })

  itLive("a server without TLS is refused, whether it speaks or hangs up", function* () {
    const speaks = yield* Servers.tcp((socket) => socket.write("no TLS here, sorry"))
    const first = yield* Effect.flip(connect(speaks.address, { tls: {} }))
    assert.strictEqual(first.reason, "Tls")
    assert.include(first.message, "does not speak TLS")
    const hangsUp = yield* Servers.tcp((socket) => socket.once("data", () => socket.destroy()))
    const second = yield* Effect.flip(connect(hangsUp.address, { tls: {} }))
    assert.strictEqual(second.reason, "Tls")
    assert.include(second.message, "does this port speak TLS")
  })

  itLive("a refused port is Open, not Tls", function* () {
    const [{ address }, close] = yield* closable(Servers.tcp(Servers.echo))
    yield* close
    assert.strictEqual((yield* Effect.flip(connect(address, { tls: {} }))).reason, "Open")
  })

  itLive("a server that never shakes hands is waited for, until interrupted: then the socket is gone", function* () {
    const server = yield* Servers.tcp((socket) => socket.resume())
    const scope = yield* Scope.make()
    const dial = yield* Effect.forkChild(Scope.provide(connect(server.address, { tls: {} }), scope))
    yield* server.accepted
    assert.isUndefined(dial.pollUnsafe())
    yield* Fiber.interrupt(dial)
    // The scope is still open.
    yield* server.closed
    yield* Scope.close(scope, Exit.void)
  })

  itLive("ends are told apart: Closed for a goodbye, Read for a reset", function* () {
    const c = yield* certificates
    const polite = yield* Servers.tls({ ...c.server }, (socket) => socket.end("bye"))
    assert.strictEqual((yield* pullToEnd(yield* connect(polite.address, { tls: { ca: c.ca } }))).reason, "Closed")
    const rude = yield* Servers.tcp((socket) => {
      const secure = new Tls.TLSSocket(socket, { isServer: true, ...c.server })
      secure.on("error", () => {})
      secure.once("data", () => socket.resetAndDestroy())
    })
    const connection = yield* connect(rude.address, { tls: { ca: c.ca } })
    yield* connection.write(bytes("x"))
    assert.strictEqual((yield* pullToEnd(connection)).reason, "Read")
  })
})
