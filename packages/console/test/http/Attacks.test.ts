/** Requests that no page of this server would make. */
import * as PageFiles from "@effect-zookeeper/console/PageFiles"
import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
import * as Protocol from "@effect-zookeeper/console/Protocol"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { eventually, failure } from "@effect-zookeeper/test-kit/Expectations"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { WebSocket } from "@effect/platform-node/NodeWS"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as HttpServer from "effect/http/HttpServer"
import * as Fs from "node:fs"
import { inspect } from "node:util"
import * as Http from "node:http"
import * as Net from "node:net"
import * as Path from "node:path"
import { describeOnServers, firstOf, forever, type Running, start } from "../support/console.ts"

interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** A request as it is written here: no client puts the path or the headers right. */
const request = (
  { port }: Pick<Running, "port">,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET"
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const asked = Http.request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => (body += text))
      response.on("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body }))
      )
    })
    asked.on("error", (error) => resume(Effect.die(error)))
    asked.end()
  })

/** The status with which a WebSocket is refused; 101 where it is opened. */
const socketStatus = (
  { port }: Pick<Running, "port">,
  protocols: ReadonlyArray<string>,
  headers: Readonly<Record<string, string>>
): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${Protocol.socketPath}`, [...protocols], { headers })
    socket.on("open", () => {
      socket.close()
      resume(Effect.succeed(101))
    })
    socket.on("unexpected-response", (_, response) => resume(Effect.succeed(response.statusCode ?? 0)))
    socket.on("error", () => {})
  })

const own = ({ port }: Pick<Running, "port">) => ({ origin: `http://127.0.0.1:${port}` })

/** A folder with a page, and a secret beside it. */
const somePage = Effect.gen(function* () {
  const folder = yield* TemporaryFolder.make("console-page-")
  const page = Path.join(folder, "page")
  Fs.mkdirSync(Path.join(page, "assets"), { recursive: true })
  Fs.writeFileSync(Path.join(page, "index.html"), '<meta property="csp-nonce" nonce="__CSP_NONCE__"><p>page</p>')
  Fs.writeFileSync(Path.join(page, "assets", "index-1.js"), "go()")
  Fs.writeFileSync(Path.join(page, "notes.txt"), "no part of a page")
  Fs.writeFileSync(Path.join(folder, "secret.js"), "secret")
  return yield* Effect.provide(PageFiles.load(page), NodeServices.layer)
})

const withPage = Effect.flatMap(somePage, (files) => start({ clusters: [], files }))

describe("the server of the console", () => {
  itLive("gives the files of the page, and nothing else", function* () {
    const running = yield* withPage
    const index = yield* request(running, "/")
    assert.strictEqual(index.status, 200)
    assert.include(index.body, "<p>page</p>")
    const script = yield* request(running, "/assets/index-1.js")
    assert.strictEqual(script.body, "go()")
    assert.strictEqual(script.headers["content-type"], "text/javascript; charset=utf-8")
    for (const path of ["/notes.txt", "/assets", "/assets/", "/index", "/.git/config", "/app"]) {
      assert.strictEqual((yield* request(running, path)).status, 404, path)
    }
  })

  itLive("gives no file outside of the page, whatever the path", function* () {
    const running = yield* withPage
    for (const path of [
      "/../secret.js",
      "/assets/../../secret.js",
      "/%2e%2e/secret.js",
      "/assets/..%2f..%2fsecret.js",
      "/assets/%2e%2e%2f%2e%2e%2fsecret.js",
      "/assets/..%5c..%5csecret.js",
      "//secret.js",
      "/assets/index-1.js/../../../secret.js",
      "/\u0000/../secret.js".replace("\u0000", "%00"),
      "/constructor",
      "/__proto__"
    ]) {
      const { body, status } = yield* request(running, path)
      assert.strictEqual(status, 404, path)
      assert.notInclude(body, "secret")
    }
  })

  itLive("lets a page load nothing from elsewhere and run no script of its own text", function* () {
    const running = yield* withPage
    const first = yield* request(running, "/")
    const policy = String(first.headers["content-security-policy"])
    for (const part of ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"]) {
      assert.include(policy, part)
    }
    assert.notInclude(policy, "unsafe")
    assert.notMatch(policy.replace(`ws://127.0.0.1:${running.port}`, ""), /https?:|wss?:|\*/)
    const nonce = /nonce="([\w-]{20,})"/.exec(first.body)?.[1]
    assert.include(policy, `'nonce-${nonce}'`)
    assert.notInclude((yield* request(running, "/")).body, nonce ?? "")
    for (const path of ["/", "/assets/index-1.js", "/nothing", Protocol.socketPath, Protocol.tokenPath]) {
      const { headers } = yield* request(running, path)
      assert.strictEqual(headers["x-content-type-options"], "nosniff", path)
      assert.strictEqual(headers["x-frame-options"], "DENY", path)
      assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin", path)
      assert.strictEqual(headers["cache-control"], "no-store", path)
      assert.isUndefined(headers["access-control-allow-origin"], path)
      assert.isDefined(headers["content-security-policy"], path)
    }
  })

  itLive("answers no name but its own address, so that no other name can be bound to it", function* () {
    const running = yield* withPage
    const { port, token } = running
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      "127.0.0.1:1",
      `0.0.0.0:${port}`
    ]) {
      for (const path of ["/", "/assets/index-1.js", Protocol.tokenPath, Protocol.socketPath]) {
        const { body, status } = yield* request(running, path, { host, authorization: `Bearer ${token}` })
        assert.strictEqual(status, 421, `${host} ${path}`)
        assert.notInclude(body, "go()")
      }
      const headers = { host, origin: `http://${host}` }
      assert.strictEqual(yield* socketStatus(running, Protocol.subprotocols(token), headers), 421)
    }
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      assert.strictEqual((yield* request(running, "/", { host })).status, 200, host)
      const headers = { host, origin: `http://${host}` }
      assert.strictEqual(yield* socketStatus(running, Protocol.subprotocols(token), headers), 101)
    }
  })

  itLive("opens no WebSocket to a page of another origin, even with the token", function* () {
    const running = yield* withPage
    const { port, token } = running
    for (const origin of [
      "http://evil.example",
      `https://127.0.0.1:${port}`,
      "http://127.0.0.1",
      `http://127.0.0.1:${port + 1}`,
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
      "null"
    ]) {
      assert.strictEqual(yield* socketStatus(running, Protocol.subprotocols(token), { origin }), 403, origin)
    }
    assert.strictEqual(yield* socketStatus(running, Protocol.subprotocols(token), {}), 403, "no origin")
    const site = { ...own(running), "sec-fetch-site": "cross-site" }
    assert.strictEqual(yield* socketStatus(running, Protocol.subprotocols(token), site), 403, "cross-site")
    assert.strictEqual(yield* socketStatus(running, Protocol.subprotocols(token), own(running)), 101)
  })

  itLive("opens no WebSocket without the token of this run", function* () {
    const old = yield* Effect.scoped(withPage)
    const running = yield* withPage
    const { token } = running
    assert.match(token, /^[\w-]{43}$/)
    assert.notStrictEqual(old.token, token)
    for (const given of [old.token, "", token.slice(1), `${token}a`, token.toLowerCase(), "undefined"]) {
      const protocols = given === "" ? [Protocol.subprotocol] : Protocol.subprotocols(given)
      assert.strictEqual(yield* socketStatus(running, protocols, own(running)), 401, given)
      const authorization = `Bearer ${given}`
      assert.strictEqual((yield* request(running, Protocol.tokenPath, { authorization })).status, 401, given)
    }
    // The server would answer with the token.
    const swapped = Protocol.subprotocols(token).toReversed()
    assert.strictEqual(yield* socketStatus(running, swapped, own(running)), 401)
    const authorization = `Bearer ${token}`
    assert.strictEqual((yield* request(running, Protocol.tokenPath, { authorization })).status, 204)
    const foreign = { authorization, origin: "http://evil.example" }
    assert.strictEqual((yield* request(running, Protocol.tokenPath, foreign)).status, 403)
  })

  itLive("has the token in no answer", function* () {
    const running = yield* withPage
    for (const path of ["/", "/assets/index-1.js", Protocol.tokenPath, Protocol.socketPath, "/nothing"]) {
      const answer = yield* request(running, path)
      assert.notInclude(JSON.stringify(answer), running.token, path)
    }
    assert.notInclude(running.url, running.token)
  })

  itLive("changes nothing for requests that are no GET", function* () {
    const running = yield* withPage
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      for (const path of ["/", Protocol.socketPath, Protocol.tokenPath]) {
        const { headers, status } = yield* request(running, path, own(running), method)
        assert.strictEqual(status, 405, `${method} ${path}`)
        assert.isUndefined(headers["access-control-allow-methods"])
      }
    }
  })

  itLive("survives frames that are no messages, and other pages notice nothing", function* () {
    const running = yield* withPage
    const page = yield* running.open
    assert.strictEqual((yield* page.hello()).version, "1.2.3")
    for (const frame of [
      "",
      "null",
      "[null]",
      "{",
      '"text"',
      "[1,2]",
      "{}",
      '{"_tag":"Request"}',
      '{"_tag":"Request","id":"1","tag":"hello"}',
      '{"_tag":"Request","id":{},"tag":"hello","payload":null,"headers":[]}',
      '{"_tag":"Request","id":"1","tag":"toString","payload":{},"headers":[]}',
      '{"_tag":"Request","id":"1","tag":"__proto__","payload":{},"headers":[]}',
      '{"_tag":"Request","id":"1","tag":"save","payload":{"cluster":"main","path":"/a","version":"0","data":1},"headers":[]}',
      '{"_tag":"Request","id":"1","tag":"hello","headers":{"__proto__":{"a":1}}}',
      '{"_tag":"Ack","requestId":"9"}',
      '{"_tag":"Interrupt","requestId":"9"}',
      '{"_tag":"Eof"}',
      '{"_tag":"Nonsense"}',
      "[".repeat(100_000),
      "\u0000\uD800"
    ]) {
      yield* sendFrame(running, frame)
    }
    yield* sendFrame(running, new Uint8Array([0xff, 0xfe, 0x00]))
    assert.strictEqual((yield* page.hello()).version, "1.2.3")
  })

  itLive("ends a connection whose message is too large, before it has all of it", function* () {
    const running = yield* withPage
    const page = yield* running.open
    const code = yield* closeCode(running, "x".repeat(ConsoleServer.maxMessageSize + 1))
    assert.strictEqual(code, 1009)
    assert.strictEqual((yield* page.hello()).version, "1.2.3")
  })

  itLive("survives bytes that are no HTTP", function* () {
    const running = yield* withPage
    for (const bytes of ["\u0000\u0001\u0002\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET\r\n\r\n"]) {
      yield* Effect.callback<void>((resume) => {
        const socket = Net.connect(running.port, "127.0.0.1", () => socket.end(bytes))
        socket.on("error", () => {})
        socket.on("close", () => resume(Effect.void))
        socket.resume()
      })
    }
    assert.strictEqual((yield* request(running, "/")).status, 200)
  })

  itLive("refuses more streams than a page has use for, and goes on with those that it has", function* () {
    const running = yield* withPage
    const page = yield* running.open
    const { limits } = yield* page.hello()
    const refused = yield* failure(
      Effect.forEach(Array.from({ length: limits.streams + 1 }), () => page.clusters().pipe(forever), {
        concurrency: "unbounded",
        discard: true
      }),
      "Refused"
    )
    assert.strictEqual(refused.reason, "tooMuch")
    // They are given back.
    yield* eventually(Effect.exit(firstOf(page.clusters())), Exit.isSuccess)
  })

  itLive("listens on loopback alone", function* () {
    const server = yield* NodeHttpServer.make(() => Http.createServer(), { host: "0.0.0.0", port: 0 })
    const refused = yield* failure(
      ConsoleServer.make({ clusters: [], files: new Map(), version: "1" }).pipe(
        Effect.provideService(HttpServer.HttpServer, server),
        Effect.provide(NodeServices.layer)
      ),
      "NotLoopback"
    )
    assert.include(refused.message, "127.0.0.1")
    assert.include(inspect(refused), `NotLoopback: ${refused.message}\n    at `)
  })

  itLive("refuses options that are no object, or that have an unknown key", function* () {
    const server = yield* NodeHttpServer.make(() => Http.createServer(), { host: "127.0.0.1", port: 0 })
    for (const options of [null, 0, [], { clusters: [], files: new Map(), version: "1", writes: true }]) {
      const mistake = yield* failure(
        ConsoleServer.make(options as never).pipe(
          Effect.provideService(HttpServer.HttpServer, server),
          Effect.provide(NodeServices.layer)
        ),
        "InvalidArgument"
      )
      assert.strictEqual(mistake.argument, "options")
    }
  })
})

describeOnServers("znodes as data", (it) => {
  it.console("no address gives the data of a znode as a document", function* ({ chroot, page, port, zk }) {
    const html = "<script>alert(1)</script>"
    yield* zk.create("/page.html", { data: html })
    for (const path of ["/page.html", `${chroot}/page.html`, "/znode?path=/page.html", "/main/page.html"]) {
      const { body, headers, status } = yield* request({ port }, path)
      assert.strictEqual(status, 404, path)
      assert.notInclude(body, "alert")
      assert.strictEqual(headers["content-type"], "text/plain; charset=utf-8")
    }
    const seen = yield* page.znode({ cluster: "main", path: "/page.html", limit: 100 }).pipe(firstOf)
    assert(seen._tag === "present" && new TextDecoder().decode(seen.data) === html)
  })
})

/** Sends one frame on a connection of its own, and waits until it is closed or a moment has passed since. */
const sendFrame = (running: Running, frame: string | Uint8Array): Effect.Effect<void> =>
  Effect.suspend(() => {
    const isSent = Latch.makeUnsafe(false)
    const aMomentLater = Effect.andThen(isSent.await, Effect.sleep("100 millis"))
    return Effect.asVoid(
      Effect.raceFirst(
        closeCode(running, frame, () => void isSent.openUnsafe()),
        aMomentLater
      )
    )
  })

const closeCode = (running: Running, frame: string | Uint8Array, onSent = () => {}): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${running.port}${Protocol.socketPath}`,
      Protocol.subprotocols(running.token),
      { headers: own(running) }
    )
    socket.on("open", () => socket.send(frame, onSent))
    socket.on("error", () => {})
    socket.on("close", (code) => resume(Effect.succeed(code)))
    return Effect.sync(() => socket.terminate())
  })
