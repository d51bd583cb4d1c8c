/** The metrics by HTTPS, for those who have a certificate. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Https from "node:https"
import * as Os from "node:os"
import * as Path from "node:path"
import type * as Tls from "node:tls"
import { certificates, type Pair } from "../../../transport/test/support/certificates.ts"
import { makeHttpsServer } from "../../src/internal/diagnose/https.ts"
import { make as makePrinter, Printer } from "../../src/internal/output/Printer.ts"
import { start } from "../support/processes.ts"
import { run, silentStdio } from "../support/zk.ts"

/** Files in a folder of their own. */
const folder = Effect.gen(function* () {
  const path = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
    (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
  )
  return {
    write: (name: string, text: string): string => {
      const file = Path.join(path, name)
      Fs.writeFileSync(file, text, { mode: 0o600 })
      return file
    }
  }
})

/** The status, the text, and the name in the certificate of the server; or the code of the error. */
const get = (url: string, ca: string, client?: Pair) =>
  Effect.callback<{ readonly status: number; readonly text: string; readonly name: string } | string>(
    (resume, signal) => {
      const request = Https.get(
        url,
        { ca, ...client, agent: false, signal, checkServerIdentity: () => undefined },
        (response) => {
          const { subject } = (response.socket as Tls.TLSSocket).getPeerCertificate()
          let text = ""
          response.on("data", (chunk) => (text += String(chunk)))
          response.on("end", () =>
            resume(Effect.succeed({ status: response.statusCode ?? 0, text, name: String(subject.CN) }))
          )
        }
      )
      request.on("error", (error) => resume(Effect.succeed("code" in error ? String(error.code) : error.message)))
    }
  ).pipe(Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.succeed("no answer") }))

const withServer = testOn(it.live, EmbeddedServer.layer(), EmbeddedServer.EmbeddedServer)

describe("zk exporter by HTTPS", () => {
  withServer("answers those who have a certificate of the authority", function* ({ connectString }) {
    const { ca, client, server, ofAnotherCa } = yield* certificates
    const { write } = yield* folder
    const flags = ["--https-cert", write("s.pem", server.cert), "--https-key", write("s.key", server.key)]
    const all = [...flags, "--https-ca", write("ca.pem", ca)]
    const exporter = yield* start(connectString, ["exporter", "--no-canary", "--listen", "127.0.0.1:0", ...all])
    const url = yield* Effect.callback<string>((resume) => {
      exporter.child.stderr?.on("data", (chunk) => {
        const found = /are at (https:\S+)/.exec(String(chunk))?.[1]
        if (found !== undefined) resume(Effect.succeed(found))
      })
    })
    const known = yield* get(url, ca, client)
    assert.include(typeof known === "string" ? known : known.text, "zk_member_up")
    for (const other of [undefined, ofAnotherCa]) assert.isString(yield* get(url, ca, other))
    exporter.child.kill("SIGTERM")
    assert.strictEqual((yield* exporter.end).code, 143)
  })

  it.live("refuses a certificate without a key, and files of another kind", () =>
    Effect.gen(function* () {
      const { write } = yield* folder
      const file = write("none.pem", "none\n")
      const refused = (...args: ReadonlyArray<string>) =>
        Effect.map(run(["exporter", "--listen", "127.0.0.1:0", ...args]), ({ code, err }) => `${code} ${err.trim()}`)
      assert.strictEqual(yield* refused("--https-cert", file), "2 zk: HTTPS needs both --https-cert and --https-key")
      assert.include(yield* refused("--https-cert", file, "--https-key", `${file}.x`), "1 zk: HTTPS: ")
      assert.include(yield* refused("--https-cert", file, "--https-key", file), "none.pem cannot be used: ")
    }).pipe(Effect.scoped)
  )

  it.effect("uses a certificate that was replaced, once both files fit", () => {
    const notes: Array<string> = []
    const notingPrinter = Effect.map(makePrinter("text", false), (printer) => ({
      ...printer,
      note: (line: string) => Effect.sync(() => void notes.push(line))
    }))
    return Effect.gen(function* () {
      const { ca, client, server } = yield* certificates
      const { write } = yield* folder
      const files = { cert: write("s.pem", server.cert), key: write("s.key", server.key), ca: undefined }
      const node = yield* makeHttpsServer(files)
      node.on("request", (_, response) => response.end("x"))
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          node.listen(0, "127.0.0.1", () => {
            const address = node.address()
            resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
          })
        }),
        () => Effect.sync(() => node.close())
      )
      const name = Effect.map(get(`https://127.0.0.1:${port}/`, ca), (found) =>
        typeof found === "string" ? found : found.name
      )
      /** Minutes go by until the server has looked at the files, and says so. */
      const says = Effect.fnUntraced(function* (part: string) {
        for (let minutes = 0; !notes.some((note) => note.includes(part)); minutes++) {
          assert.isBelow(minutes, 600, `${part} is not in ${notes.join("; ")}`)
          yield* TestClock.adjust("1 minute")
          yield* TestClock.withLive(Effect.sleep("25 millis"))
        }
      })
      assert.strictEqual(yield* name, "server")
      write("s.pem", client.cert)
      yield* says("stays as it is")
      assert.strictEqual(yield* name, "server")
      write("s.key", client.key)
      yield* says("was replaced")
      assert.strictEqual(yield* name, "client")
    }).pipe(
      Effect.provideServiceEffect(Printer, notingPrinter),
      Effect.provide([silentStdio, NodeFileSystem.layer]),
      Effect.scoped
    )
  })
})
