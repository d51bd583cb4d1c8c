import { TlsOptions } from "@effect-zookeeper/transport"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Certificates, certificates } from "../support/certificates.ts"
import * as Servers from "../support/servers.ts"
import { bytes, connect, pullText, tlsEcho, transport } from "../support/connections.ts"

describe("over TLS", () => {
  itLive("a certificate for the name is accepted, and the name is sent to the server", function* () {
    const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ca: c.ca } }))
    assert.deepStrictEqual(outcome, { text: "secret", sni: "localhost" })
  })

  itLive("a certificate for the IP address is accepted, and no name is sent", function* () {
    const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ca: [c.ca] }, name: "127.0.0.1" }))
    assert.deepStrictEqual(outcome, { text: "secret", sni: false })
  })

  itLive("servername replaces the name of the connect string", function* () {
    const outcome = yield* tlsEcho((c) => ({
      server: c.server,
      client: { ca: bytes(c.ca), servername: "zk.test" },
      name: "elsewhere.test"
    }))
    assert.deepStrictEqual(outcome, { text: "secret", sni: "zk.test" })
  })

  itLive("no application protocol is offered, and no session of before", function* () {
    const c = yield* certificates
    const hellos: Array<{ readonly protocol: unknown; readonly reused: boolean }> = []
    const server = yield* Servers.tls({ ...c.server, ALPNProtocols: ["zookeeper", "h2"] }, (socket) => {
      hellos.push({ protocol: socket.alpnProtocol, reused: socket.isSessionReused() })
      Servers.echo(socket)
    })
    for (let i = 0; i < 2; i++) {
      const connection = yield* connect(server.address, { tls: { ca: c.ca } }, server.named)
      yield* connection.write(bytes("x"))
      yield* pullText(connection, 1)
    }
    assert.deepStrictEqual(hellos, [
      { protocol: false, reused: false },
      { protocol: false, reused: false }
    ])
  })

  itLive("says who can read what is sent to a server", function* () {
    const securities = (tls: TlsOptions.TlsSource | undefined) =>
      Effect.map(transport({ tls }), ({ security }) =>
        ([undefined, "tcp", "tls"] as const).map((scheme) => security?.({ host: "zk", port: 1, scheme }))
      )
    assert.deepStrictEqual(yield* securities(undefined), ["plain", "plain", "verified"])
    assert.deepStrictEqual(yield* securities({}), ["verified", "plain", "verified"])
    assert.deepStrictEqual(yield* securities(TlsOptions.fromFiles({})), ["verified", "plain", "verified"])
    assert.deepStrictEqual(yield* securities({ rejectUnauthorized: false }), ["unverified", "plain", "unverified"])
  })

  itLive("the names of a foul certificate cannot forge a line", function* () {
    const c = yield* certificates
    const error = yield* Effect.flip(tlsEcho(() => ({ server: c.foul, client: { ca: c.foul.cert } })))
    assert.include(error.message, String.raw`CN:a.test\u000aERROR forged`)
    assert.notInclude(error.message, "\n")
  })

  itLive("a name with the root's dot is verified without it", function* () {
    const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ca: c.ca }, name: "localhost." }))
    assert.deepStrictEqual(outcome, { text: "secret", sni: "localhost" })
  })

  itLive("servername may be an IP address", function* () {
    const client = { servername: "127.0.0.1" }
    const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ...client, ca: c.ca }, name: "other.test" }))
    assert.strictEqual(outcome.text, "secret")
    const error = yield* Effect.flip(tlsEcho((c) => ({ server: c.elsewhere, client: { ...client, ca: c.ca } })))
    assert.include(error.message, "not for 127.0.0.1")
  })

  itLive("a client's certificate is shown to a server that demands one, from PEM and from PKCS#12", function* () {
    const demands = (c: Certificates) => ({ ...c.server, ca: c.ca, requestCert: true })
    const pem = yield* tlsEcho((c) => ({
      server: demands(c),
      client: { ca: c.ca, cert: c.client.cert, key: Redacted.make(c.client.key) }
    }))
    assert.strictEqual(pem.text, "secret")
    const pfx = yield* tlsEcho((c) => ({
      server: demands(c),
      client: { ca: c.ca, pfx: Redacted.make(c.clientPfx), passphrase: Redacted.make("secret") }
    }))
    assert.strictEqual(pfx.text, "secret")
  })

  itLive("rejectUnauthorized: false accepts any certificate", function* () {
    const outcome = yield* tlsEcho((c) => ({ server: c.selfSigned, client: { rejectUnauthorized: false } }))
    assert.strictEqual(outcome.text, "secret")
  })
})
