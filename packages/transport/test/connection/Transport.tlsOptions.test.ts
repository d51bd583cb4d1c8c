import { TlsError, TlsOptions } from "@effect-zookeeper/transport"
import { assert, describe } from "@effect/vitest"
import { itEffect, itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { certificates } from "../support/certificates.ts"
import * as Servers from "../support/servers.ts"
import { transport } from "../support/connections.ts"

describe("over TLS", () => {
  itLive(
    "options that an Effect gives are asked for at each dial, and what it fails with is why there is none",
    function* () {
      const c = yield* certificates
      const server = yield* Servers.tls({ ...c.server }, Servers.echo)
      let ca = c.ofAnotherCa.cert
      const tls = Effect.suspend(() => (ca === "" ? Effect.fail("no options today") : Effect.succeed({ ca })))
      const service = yield* transport({ tls })
      const dial = service.connect(server.address, server.named)
      const first = yield* Effect.flip(dial)
      assert.strictEqual(first.cause instanceof TlsError.TlsError && first.cause.reason, "UnknownAuthority")
      ca = c.ca
      yield* dial
      ca = ""
      const last = yield* Effect.flip(dial)
      assert.strictEqual(last.cause instanceof TlsError.TlsError && last.cause.reason, "Options")
      assert.include(last.message, "no options today")
    }
  )

  itLive("options that are no object, or have an unknown key, keep it from connecting at all", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    for (const [options, value] of [
      [{ tsl: { ca: "x" } }, "tsl"],
      [null, "null"],
      [0, "0"],
      [[], "an array"]
    ] as const) {
      const service = yield* transport(options as never)
      const mistake = yield* Effect.flip(service.check ?? Effect.void)
      assert.deepInclude({ ...mistake }, { _tag: "InvalidArgument", argument: "options", value })
      assert.strictEqual((yield* Effect.flip(service.connect(server.address, server.named))).cause, mistake)
      assert.strictEqual((yield* Effect.flip(service.resolve(server.named))).cause, mistake)
    }
  })

  itEffect(
    "checks TLS options one by one before a server is dialled, and names the one that cannot be used",
    function* () {
      const c = yield* certificates
      const key = Redacted.make(c.client.key)
      const pfx = Redacted.make(c.clientPfx)
      const wrong = Redacted.make("wrong-passphrase")
      const junk = Redacted.make("junk")
      const refusals: ReadonlyArray<readonly [options: unknown, option: string, says: string]> = [
        ["a file", "tls", "must be an object"],
        [null, "tls", "must be an object"],
        [{ passphrse: wrong }, "tls", "there is no such option"],
        [{ ca: "junk" }, "tls.ca", "certificates of authorities as PEM"],
        [{ ca: [c.ca, "junk"] }, "tls.ca", "-----BEGIN CERTIFICATE-----"],
        [{ ca: [] }, "tls.ca", "leave it out"],
        [{ ca: [undefined] }, "tls.ca", "PEM"],
        [{ ca: c.ca.replace("MII", "AAA") }, "tls.ca", "PEM"],
        [{ ca: c.client.key }, "tls.ca", "PEM"],
        [{ ca: 7 }, "tls.ca", "PEM"],
        [{ crl: "junk" }, "tls.crl", "-----BEGIN X509 CRL-----"],
        [{ cert: "junk", key }, "tls.cert", "the client's certificate as PEM"],
        [{ cert: c.client.cert }, "tls.key", "must be given with tls.cert"],
        [{ key }, "tls.cert", "must be given with tls.key"],
        [{ cert: c.client.cert, key: c.client.key }, "tls.key", "must be Redacted"],
        [{ cert: c.client.cert, key: junk }, "tls.key", "-----BEGIN PRIVATE KEY-----"],
        [{ cert: c.client.cert, key: Redacted.make("") }, "tls.key", "-----BEGIN PRIVATE KEY-----"],
        [{ cert: c.client.cert, key: Redacted.make(c.server.key) }, "tls.key", "of the certificate in tls.cert"],
        [{ pfx: junk }, "tls.pfx", "the bytes of a PKCS#12 file"],
        [{ pfx: Redacted.make(new Uint8Array(9)) }, "tls.pfx", "PKCS#12"],
        [{ pfx }, "tls.passphrase", "must be given"],
        [{ pfx, passphrase: wrong }, "tls.passphrase", "does not open tls.pfx"],
        [{ pfx, passphrase: "wrong-passphrase" }, "tls.passphrase", "must be a Redacted string"],
        [{ servername: "" }, "tls.servername", "the server's certificate carries"],
        [{ minVersion: "TLSv1.1" }, "tls.minVersion", "TLSv1.2"],
        [{ rejectUnauthorized: "no" }, "tls.rejectUnauthorized", "true or false"]
      ]
      for (const [options, option, says] of refusals) {
        const { check } = yield* transport({ tls: options as TlsOptions.TlsOptions })
        const error = yield* Effect.flip(check ?? Effect.void)
        assert.strictEqual(error.argument, option, says)
        assert.include(error.message, says)
        for (const secret of ["wrong-passphrase", "junk", "BEGIN PRIVATE KEY-----\n"]) {
          assert.notInclude(error.message, secret)
        }
      }
      const passphrase = Redacted.make("secret")
      const good: ReadonlyArray<TlsOptions.TlsOptions> = [
        {},
        { ca: [c.ca, Buffer.from(c.ca)], cert: c.client.cert, key },
        { ca: `${c.ca}\n${c.ca}`, pfx, passphrase, servername: "zk.test", minVersion: "TLSv1.3" }
      ]
      for (const tls of good) yield* (yield* transport({ tls })).check ?? Effect.void
    }
  )

  itEffect("checks what an Effect gives for the start, but not what may be of the moment", function* () {
    const c = yield* certificates
    const key = Redacted.make(c.server.key)
    const checkOf = (tls: TlsOptions.TlsSource) =>
      Effect.flatMap(transport({ tls }), ({ check }) => check ?? Effect.void)
    yield* checkOf(Effect.fail("the vault is sealed"))
    // Of two files one has been replaced.
    yield* checkOf(Effect.succeed({ ca: c.ca, cert: c.client.cert, key }))
    const error = yield* Effect.flip(checkOf(Effect.succeed({ ca: "junk" })))
    assert.strictEqual(error.argument, "tls.ca")
    for (const [files, says] of [
      [{ ca: "/nowhere/ca\n.pem" }, "cannot be read: ENOENT"],
      [{ ca: 0 as unknown as string }, "must be the path of a file"]
    ] as const) {
      const unread = yield* Effect.flip(checkOf(TlsOptions.fromFiles(files)))
      assert.strictEqual(unread.argument, "tls.ca")
      assert.include(unread.message, says)
      assert.notInclude(unread.message, "\n")
    }
  })
})
