import { type ServerAddress, TlsError, TlsOptions, Transport } from "@effect-zookeeper/transport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { fileURLToPath } from "node:url"
import { inspect, promisify } from "node:util"
import { type Certificates, certificates } from "../support/certificates.ts"
import * as Servers from "../support/servers.ts"

const MiB = 1024 * 1024

const transport = (options?: Transport.Options) =>
  Effect.provide(
    Transport.Transport.use((service) => Effect.succeed(service)),
    Transport.layer(options)
  )

const connect = (address: ServerAddress.ServerAddress, options?: Transport.Options, name = address) =>
  Effect.flatMap(transport(options), (service) => service.connect(address, name))

const bytes = (text: string) => new TextEncoder().encode(text)

/** Pulls until `size` bytes are there. */
const pullBytes = Effect.fnUntraced(function* (connection: Transport.Connection, size: number) {
  const all = new Uint8Array(size)
  let at = 0
  while (at < size) {
    for (const chunk of yield* connection.pull) {
      all.set(chunk, at)
      at += chunk.length
    }
  }
  return all
})

const pullText = (connection: Transport.Connection, size: number) =>
  Effect.map(pullBytes(connection, size), (all) => new TextDecoder().decode(all))

/** Pulls until the connection ends: why it did. */
const pullToEnd = (connection: Transport.Connection) => Effect.flip(Effect.forever(connection.pull))

describe("over TCP", () => {
  it.live("bytes go both ways", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const connection = yield* connect(server.address)
      yield* connection.write(bytes("hello "))
      yield* connection.write(new Uint8Array(0))
      yield* connection.write(bytes("world"))
      assert.strictEqual(yield* pullText(connection, 11), "hello world")
    })
  )

  it.live("chunks are plain byte arrays, not Buffers", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp((socket) => socket.write("abc"))
      const connection = yield* connect(server.address)
      const chunks = yield* connection.pull
      assert.deepStrictEqual(chunks, [bytes("abc")])
    })
  )

  it.live("the memory of a chunk is free once it is released, and what comes after is whole", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const connection = yield* connect(server.address)
      for (const text of ["one", "another"]) {
        yield* connection.write(bytes(text))
        const [chunk] = yield* connection.pull
        assert.deepStrictEqual(chunk, bytes(text))
        connection.release?.(chunk!)
        assert.strictEqual(chunk!.byteLength, 0)
      }
      // Not that of others which it is a part of.
      const part = bytes("part").subarray(1)
      connection.release?.(part)
      assert.deepStrictEqual(part, bytes("art"))
    })
  )

  it.live("a name is dialled at the address, a scheme of tcp overrules tls options", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const name = { host: "not-asked.invalid", port: server.address.port, scheme: "tcp" } as const
      const connection = yield* connect(server.address, { tls: {} }, name)
      yield* connection.write(bytes("hi"))
      assert.strictEqual(yield* pullText(connection, 2), "hi")
    })
  )

  it.live("a port without a listener is Open, and says where", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address } = yield* Scope.provide(Servers.tcp(Servers.echo), scope)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(connect(address))
      assert.strictEqual(error.reason, "Open")
      assert.strictEqual(error.server, `127.0.0.1:${address.port}`)
      assert.include(error.message, "ECONNREFUSED")
    })
  )

  it.live("a clean end gives what was sent before it, then is Closed at every pull; writes fail", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp((socket) => socket.end("bye"))
      const connection = yield* connect(server.address)
      assert.strictEqual(yield* pullText(connection, 3), "bye")
      assert.strictEqual((yield* Effect.flip(connection.pull)).reason, "Closed")
      assert.strictEqual((yield* Effect.flip(connection.pull)).reason, "Closed")
      assert.strictEqual((yield* Effect.flip(connection.write(bytes("x")))).reason, "Write")
    })
  )

  it.live("a reset is Read at every pull; writes fail", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(() => {})
      const connection = yield* connect(server.address)
      const socket = yield* server.accepted
      socket.resetAndDestroy()
      const error = yield* Effect.flip(connection.pull)
      assert.strictEqual(error.reason, "Read")
      assert.include(error.message, "ECONNRESET")
      assert.strictEqual((yield* Effect.flip(connection.pull)).reason, "Read")
      const write = yield* Effect.flip(connection.write(bytes("x")))
      assert.strictEqual(write.reason, "Write")
      assert.include(write.message, "ECONNRESET")
    })
  )

  it.live("a closed scope ends the waiting pull, fails writes and closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const scope = yield* Scope.make()
      const connection = yield* Scope.provide(connect(server.address), scope)
      const pull = yield* Effect.forkChild(Effect.flip(connection.pull), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(pull))._tag, "TransportError")
      assert.strictEqual((yield* Effect.flip(connection.write(bytes("x")))).reason, "Write")
      yield* server.closed
    })
  )

  it.live("an interrupted pull loses no bytes", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const connection = yield* connect(server.address)
      const pull = yield* Effect.forkChild(connection.pull, { startImmediately: true })
      yield* Fiber.interrupt(pull)
      yield* connection.write(bytes("kept"))
      assert.strictEqual(yield* pullText(connection, 4), "kept")
    })
  )

  it.live("deferred tasks run once the turn is over, in order", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const connection = yield* connect(server.address)
      const log: Array<string> = []
      yield* Effect.callback<void>((resume) => {
        connection.defer(() => log.push("first"))
        connection.defer(() => resume(Effect.void))
        log.push("turn")
      })
      assert.deepStrictEqual(log, ["turn", "first"])
    })
  )
})

describe("back-pressure", () => {
  // More than the kernel's buffers on both sides hold.
  const flood = new Uint8Array(64 * MiB)

  it.live("a write waits while the peer does not read", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp((socket) => socket.pause(), { pauseOnConnect: true })
      const connection = yield* connect(server.address)
      const log: Array<string> = []
      const write = yield* Effect.forkChild(
        Effect.tap(connection.write(flood), () => Effect.sync(() => log.push("written"))),
        { startImmediately: true }
      )
      const socket = yield* server.accepted
      log.push("reads")
      socket.on("data", () => {})
      socket.resume()
      yield* Fiber.join(write)
      assert.deepStrictEqual(log, ["reads", "written"])
    })
  )

  it.live("what is written within the call needs no fiber until the network is full, and fails once it has ended", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const scope = yield* Scope.make()
      const connection = yield* Scope.provide(connect(server.address), scope)
      const { writeNow } = connection
      assert.isUndefined(writeNow?.(bytes("now")))
      assert.deepStrictEqual(yield* connection.pull, [bytes("now")])
      const rest = writeNow?.(flood)
      assert.isDefined(rest)
      const waiting = yield* Effect.forkChild(rest!)
      for (let size = 0; size < flood.length;) {
        for (const chunk of yield* connection.pull) size += chunk.length
      }
      yield* Fiber.join(waiting)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(writeNow?.(bytes("late")) ?? Effect.void)).reason, "Write")
    })
  )

  it.live("a waiting write can be interrupted, and the closing scope destroys the socket", () =>
    Effect.gen(function* () {
      const server = yield* Servers.tcp(() => {}, { pauseOnConnect: true })
      const scope = yield* Scope.make()
      const connection = yield* Scope.provide(connect(server.address), scope)
      const write = yield* Effect.forkChild(connection.write(flood), { startImmediately: true })
      const socket = yield* server.accepted
      yield* Fiber.interrupt(write)
      yield* Scope.close(scope, Exit.void)
      // The peer reads what the kernels hold and finds the end.
      socket.resume()
      yield* server.closed
      assert.isBelow(socket.bytesRead, flood.length)
    })
  )

  it.live("a waiting write fails when the peer resets, and when the scope closes", () =>
    Effect.gen(function* () {
      for (const end of ["reset", "scope"] as const) {
        const server = yield* Servers.tcp(() => {}, { pauseOnConnect: true })
        const scope = yield* Scope.make()
        const connection = yield* Scope.provide(connect(server.address), scope)
        const write = yield* Effect.forkChild(Effect.flip(connection.write(flood)), { startImmediately: true })
        const socket = yield* server.accepted
        if (end === "reset") socket.resetAndDestroy()
        else yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* Fiber.join(write)).reason, "Write")
        yield* Scope.close(scope, Exit.void)
      }
    })
  )

  // Chunks far below what Node's socket holds before it asks for patience, more of them than the kernels hold.
  const reuse = (secure: boolean) =>
    Effect.gen(function* () {
      const rounds = 2048
      const size = 8 * 1024
      const c = yield* certificates
      const pause = (socket: Net.Socket) => void socket.pause()
      const server = yield* secure ? Servers.tls({ ...c.server }, pause) : Servers.tcp(pause, { pauseOnConnect: true })
      const connection = yield* connect(server.address, secure ? { tls: { ca: c.ca } } : {})
      const buffer = new Uint8Array(size)
      const write = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let round = 0; round < rounds; round++) {
            buffer.fill(round)
            yield* connection.write(buffer)
          }
          buffer.fill(255)
        }),
        { startImmediately: true }
      )
      const socket = yield* server.accepted
      const received: Array<Buffer> = []
      yield* Effect.callback<void>((resume) => {
        let missing = rounds * size
        socket.on("data", (chunk: Buffer) => {
          received.push(chunk)
          missing -= chunk.length
          if (missing === 0) resume(Effect.void)
        })
        socket.resume()
      })
      yield* Fiber.join(write)
      const all = Buffer.concat(received)
      for (let round = 0; round < rounds; round++) {
        const chunk = all.subarray(round * size, (round + 1) * size)
        assert.isTrue(
          chunk.every((byte) => byte === round % 256),
          `round ${round}`
        )
      }
    })

  it.live("the bytes belong to the caller again when a write has returned, over TCP", () => reuse(false))

  it.live("the bytes belong to the caller again when a write has returned, over TLS", () => reuse(true))
})

describe("over TLS", () => {
  const tlsEcho = Effect.fnUntraced(function* (
    pick: (certificates: Certificates) => {
      readonly server: Tls.TlsOptions
      readonly client: TlsOptions.TlsOptions | undefined
      readonly name?: string
      readonly scheme?: "tls"
    }
  ) {
    const { client, name = "localhost", scheme, server: serverOptions } = pick(yield* certificates)
    const seen: Array<string | false | undefined> = []
    const server = yield* Servers.tls(serverOptions, (socket) => {
      seen.push((socket as { servername?: string | false }).servername)
      Servers.echo(socket)
    })
    const connection = yield* connect(
      server.address,
      { tls: client },
      { host: name, port: server.address.port, scheme }
    )
    yield* connection.write(bytes("secret"))
    const text = yield* pullText(connection, 6)
    return { text, sni: seen[0] }
  })

  it.live("a certificate for the name is accepted, and the name is sent to the server", () =>
    Effect.gen(function* () {
      const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ca: c.ca } }))
      assert.deepStrictEqual(outcome, { text: "secret", sni: "localhost" })
    })
  )

  it.live("a certificate for the IP address is accepted, and no name is sent", () =>
    Effect.gen(function* () {
      const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ca: [c.ca] }, name: "127.0.0.1" }))
      assert.deepStrictEqual(outcome, { text: "secret", sni: false })
    })
  )

  it.live("servername replaces the name of the connect string", () =>
    Effect.gen(function* () {
      const outcome = yield* tlsEcho((c) => ({
        server: c.server,
        client: { ca: bytes(c.ca), servername: "zk.test" },
        name: "elsewhere.test"
      }))
      assert.deepStrictEqual(outcome, { text: "secret", sni: "zk.test" })
    })
  )

  it.live("no application protocol is offered, and no session of before", () =>
    Effect.gen(function* () {
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
  )

  it.live("options that an Effect gives are asked for at each dial, and what it fails with is why there is none", () =>
    Effect.gen(function* () {
      const c = yield* certificates
      const server = yield* Servers.tls({ ...c.server }, Servers.echo)
      let ca = c.stranger.cert
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
    })
  )

  it.effect("checks TLS options one by one before a server is dialled, and names the one that cannot be used", () =>
    Effect.gen(function* () {
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
    })
  )

  it.effect("checks what an Effect gives for the start, but not what may be of the moment", () =>
    Effect.gen(function* () {
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
  )

  it.live("says who can read what is sent to a server", () =>
    Effect.gen(function* () {
      const securities = (tls: TlsOptions.TlsSource | undefined) =>
        Effect.map(transport({ tls }), ({ security }) =>
          ([undefined, "tcp", "tls"] as const).map((scheme) => security?.({ host: "zk", port: 1, scheme }))
        )
      assert.deepStrictEqual(yield* securities(undefined), ["plain", "plain", "verified"])
      assert.deepStrictEqual(yield* securities({}), ["verified", "plain", "verified"])
      assert.deepStrictEqual(yield* securities(TlsOptions.fromFiles({})), ["verified", "plain", "verified"])
      assert.deepStrictEqual(yield* securities({ rejectUnauthorized: false }), ["unverified", "plain", "unverified"])
    })
  )

  it.live("the names of a foul certificate cannot forge a line", () =>
    Effect.gen(function* () {
      const c = yield* certificates
      const error = yield* Effect.flip(tlsEcho(() => ({ server: c.foul, client: { ca: c.foul.cert } })))
      assert.include(error.message, String.raw`CN:a.test\u000aERROR forged`)
      assert.notInclude(error.message, "\n")
    })
  )

  it.live("a name with the root's dot is verified without it", () =>
    Effect.gen(function* () {
      const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ca: c.ca }, name: "localhost." }))
      assert.deepStrictEqual(outcome, { text: "secret", sni: "localhost" })
    })
  )

  it.live("servername may be an IP address", () =>
    Effect.gen(function* () {
      const client = { servername: "127.0.0.1" }
      const outcome = yield* tlsEcho((c) => ({ server: c.server, client: { ...client, ca: c.ca }, name: "other.test" }))
      assert.strictEqual(outcome.text, "secret")
      const error = yield* Effect.flip(tlsEcho((c) => ({ server: c.elsewhere, client: { ...client, ca: c.ca } })))
      assert.include(error.message, "not for 127.0.0.1")
    })
  )

  it.live("a client's certificate is shown to a server that demands one, from PEM and from PKCS#12", () =>
    Effect.gen(function* () {
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
  )

  it.live("rejectUnauthorized: false accepts any certificate", () =>
    Effect.gen(function* () {
      const outcome = yield* tlsEcho((c) => ({ server: c.selfSigned, client: { rejectUnauthorized: false } }))
      assert.strictEqual(outcome.text, "secret")
    })
  )

  const refusals: ReadonlyArray<{
    readonly name: string
    readonly pick: Parameters<typeof tlsEcho>[0]
    readonly reason: TlsError.TlsReason
    readonly message: ReadonlyArray<string>
  }> = [
    {
      name: "a certificate for another host",
      pick: (c) => ({ server: c.elsewhere, client: { ca: c.ca } }),
      reason: "WrongHost",
      message: ["DNS:elsewhere.test", "not for localhost"]
    },
    {
      name: "a certificate for another host, dialled by IP address",
      pick: (c) => ({ server: c.elsewhere, client: { ca: c.ca }, name: "127.0.0.1" }),
      reason: "WrongHost",
      message: ["DNS:elsewhere.test", "not for 127.0.0.1"]
    },
    {
      name: "a certificate for the address but not for the name",
      pick: (c) => ({ server: c.server, client: { ca: c.ca }, name: "zk9.test" }),
      reason: "WrongHost",
      message: ["IP Address:127.0.0.1", "not for zk9.test"]
    },
    {
      name: "a certificate of an unknown authority",
      pick: (c) => ({ server: c.stranger, client: { ca: c.ca } }),
      reason: "UnknownAuthority",
      message: ["issuer", "unknown", "tls.ca"]
    },
    {
      name: "a certificate that only tls.ca would vouch for, without tls options",
      pick: (c) => ({ server: c.server, client: undefined, scheme: "tls" }),
      reason: "UnknownAuthority",
      message: ["issuer", "unknown", "tls.ca"]
    },
    {
      name: "a self-signed certificate",
      pick: (c) => ({ server: c.selfSigned, client: { ca: c.ca } }),
      reason: "UnknownAuthority",
      message: ["self-signed"]
    },
    {
      name: "an expired certificate",
      pick: (c) => ({ server: c.expired, client: { ca: c.ca } }),
      reason: "Expired",
      message: ["expired"]
    },
    {
      name: "a server with older versions of TLS alone",
      pick: (c) => ({ server: { ...c.server, maxVersion: "TLSv1.2" }, client: { ca: c.ca, minVersion: "TLSv1.3" } }),
      reason: "Version",
      message: ["tls.minVersion"]
    },
    {
      name: "a client without the certificate that the server demands, TLS 1.2",
      pick: (c) => ({
        server: { ...c.server, ca: c.ca, requestCert: true, maxVersion: "TLSv1.2" },
        client: { ca: c.ca }
      }),
      reason: "ClientCertificate",
      message: ["tls.cert and tls.key"]
    },
    {
      name: "a client without the certificate that the server demands, TLS 1.3",
      pick: (c) => ({ server: { ...c.server, ca: c.ca, requestCert: true }, client: { ca: c.ca } }),
      reason: "ClientCertificate",
      message: ["tls.cert and tls.key"]
    },
    {
      name: "a wrong passphrase, before a byte is sent",
      pick: (c) => ({
        server: c.server,
        client: { ca: c.ca, pfx: Redacted.make(c.clientPfx), passphrase: Redacted.make("wrong-passphrase") }
      }),
      reason: "Options",
      message: ["tls.passphrase does not open tls.pfx"]
    }
  ]
  for (const { message, name, pick, reason } of refusals) {
    it.live(`${name} is refused`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(tlsEcho(pick))
        assert.strictEqual(error.reason, "Tls", error.message)
        assert.instanceOf(error.cause, TlsError.TlsError)
        assert.strictEqual(error.cause.reason, reason)
        for (const piece of message) assert.include(error.message, piece)
      })
    )
  }

  it.live("no error shows a key or a passphrase", () =>
    Effect.gen(function* () {
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
  )

  it.live("a server without TLS is refused, whether it speaks or hangs up", () =>
    Effect.gen(function* () {
      const speaks = yield* Servers.tcp((socket) => socket.write("no TLS here, sorry"))
      const first = yield* Effect.flip(connect(speaks.address, { tls: {} }))
      assert.strictEqual(first.reason, "Tls")
      assert.include(first.message, "does not speak TLS")
      const hangsUp = yield* Servers.tcp((socket) => socket.once("data", () => socket.destroy()))
      const second = yield* Effect.flip(connect(hangsUp.address, { tls: {} }))
      assert.strictEqual(second.reason, "Tls")
      assert.include(second.message, "does this port speak TLS")
    })
  )

  it.live("a refused port is Open, not Tls", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address } = yield* Scope.provide(Servers.tcp(Servers.echo), scope)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(connect(address, { tls: {} }))).reason, "Open")
    })
  )

  it.live("a server that never shakes hands is waited for, until interrupted: then the socket is gone", () =>
    Effect.gen(function* () {
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
  )

  it.live("ends are told apart: Closed for a goodbye, Read for a reset", () =>
    Effect.gen(function* () {
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
  )
})

describe("resolve", () => {
  const lookup = (hosts: ReadonlyArray<string>) => ({ lookup: () => Effect.succeed(hosts) })
  const resolve = (server: ServerAddress.ServerAddress, options?: Transport.Options) =>
    Effect.flatMap(transport(options), (service) => service.resolve(server))

  it.live("gives all addresses of a name, port and scheme kept", () =>
    Effect.gen(function* () {
      const found = yield* resolve({ host: "zk", port: 1, scheme: "tls" }, lookup(["10.0.0.1", "::1"]))
      assert.sameDeepMembers(
        [...found],
        [
          { host: "10.0.0.1", port: 1, scheme: "tls" },
          { host: "::1", port: 1, scheme: "tls" }
        ]
      )
    })
  )

  it.live("gives them in random order", () =>
    Effect.gen(function* () {
      const first = new Map<string, number>()
      for (let i = 0; i < 3000; i++) {
        const [address] = yield* resolve({ host: "zk", port: 1 }, lookup(["10.0.0.1", "10.0.0.2", "10.0.0.3"]))
        first.set(address!.host, (first.get(address!.host) ?? 0) + 1)
      }
      assert.strictEqual(first.size, 3)
      for (const count of first.values()) assert.approximately(count, 1000, 130)
    }).pipe(Random.withSeed("resolve"))
  )

  it.live("asks again at each attempt", () =>
    Effect.gen(function* () {
      let asked = 0
      const service = yield* transport({ lookup: () => Effect.sync(() => [`10.0.0.${++asked}`]) })
      yield* service.resolve({ host: "zk", port: 1 })
      assert.deepStrictEqual(yield* service.resolve({ host: "zk", port: 1 }), [{ host: "10.0.0.2", port: 1 }])
    })
  )

  it.live("does not look IP addresses up", () =>
    Effect.gen(function* () {
      for (const host of ["127.0.0.1", "::1", "fe80::1%lo"]) {
        const server = { host, port: 1 }
        assert.deepStrictEqual(yield* resolve(server, { lookup: () => Effect.die("asked") }), [server])
      }
    })
  )

  it.live("asks the system when no lookup is given", () =>
    Effect.gen(function* () {
      const found = yield* resolve({ host: "localhost", port: 2181 })
      assert.isNotEmpty(found)
      for (const { host } of found) assert.include(["127.0.0.1", "::1"], host)
      assert.strictEqual(new Set(found.map(({ host }) => host)).size, found.length)
    })
  )

  it.live("fails with Resolve for a name without addresses, unknown or impossible", () =>
    Effect.gen(function* () {
      const server = { host: "zk.test", port: 2181 }
      const empty = yield* Effect.flip(resolve(server, lookup([])))
      assert.strictEqual(empty.reason, "Resolve")
      const unknown = yield* Effect.flip(resolve(server, { lookup: () => Effect.fail(new Error("ENOTFOUND")) }))
      assert.strictEqual(unknown.reason, "Resolve")
      assert.strictEqual(unknown.server, "zk.test:2181")
      assert.include(unknown.message, "ENOTFOUND")
      const impossible = yield* Effect.flip(resolve({ host: `${"a".repeat(64)}..`, port: 2181 }))
      assert.strictEqual(impossible.reason, "Resolve")
    })
  )
})

describe("a process", () => {
  it.live(
    "loads no socket module before it dials, and ends by itself when its scopes are closed",
    () =>
      Effect.gen(function* () {
        const c = yield* certificates
        const open = yield* Servers.tcp(Servers.echo)
        const silent = yield* Servers.tcp(() => {}, { pauseOnConnect: true })
        const deaf = yield* Servers.tls({ ...c.server }, (socket) => socket.pause())
        const script = fileURLToPath(new URL("../support/process.ts", import.meta.url))
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)(process.execPath, [script], {
            timeout: 30_000,
            env: {
              ...process.env,
              OPEN: String(open.address.port),
              SILENT: String(silent.address.port),
              DEAF: String(deaf.address.port),
              CA: c.ca
            }
          })
        )
        assert.deepStrictEqual(stdout.trim().split("\n"), [
          "before: none",
          "after: net tls",
          "closed: idle",
          "closed: full",
          "closed: full under TLS",
          "interrupted: handshake"
        ])
      }),
    40_000
  )
})
