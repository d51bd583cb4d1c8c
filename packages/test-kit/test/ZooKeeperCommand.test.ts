import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import type * as Stream from "node:stream"
import { fileURLToPath } from "node:url"
import * as Znode from "./support/znode.ts"

const script = fileURLToPath(new URL("../../../scripts/zookeeper.ts", import.meta.url))

const run = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "ignore"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const stdout = (child: ChildProcess.ChildProcessByStdio<null, Stream.Readable, null>) =>
  Effect.callback<string>((resume) => {
    let text = ""
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith("\n")) resume(Effect.succeed(text.trim()))
    })
  })

describe("the command zookeeper", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`prints the connect string alone on stdout, and stops the server on ${signal}`, () =>
      Effect.gen(function* () {
        const child = yield* run()
        const connectString = yield* stdout(child)
        assert.match(connectString, /^127\.0\.0\.1:\d+$/)
        const port = Number(connectString.split(":")[1])
        assert.strictEqual(yield* Znode.create(port, "/here"), 0)
        yield* Effect.callback<void>((resume) => {
          child.once("exit", () => resume(Effect.void))
          child.kill(signal)
        })
        assert.match((yield* Effect.flip(Znode.exists(port, "/here"))).toString(), /ECONNREFUSED/)
      })
    )
  }

  it.live("starts an ensemble and names all its servers", () =>
    Effect.gen(function* () {
      const connectString = yield* stdout(yield* run("--ensemble", "--tick", "200"))
      assert.match(connectString, /^(127\.0\.0\.1:\d+,){2}127\.0\.0\.1:\d+$/)
    })
  )
})
