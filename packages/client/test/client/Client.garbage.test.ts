/** The memory that a client takes, and what a closed one leaves to the collector of garbage. */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const program = fileURLToPath(new URL("../support/garbage.ts", import.meta.url))

/** Bytes. A client that is kept whole by a single reference takes 30,000 and more. */
const MOST = 15_000

/** Bytes. It took 47,700 when each session had sets, maps and buffers that it did not use, and three layers. */
const MOST_CONNECTED = 43_000

describe("a client", () => {
  itLive("is gone with the next small collection once it is closed, and takes little memory before", function* () {
    const run = () => promisify(execFile)(process.execPath, ["--expose-gc", program, TestServer.connectString()])
    const { stdout } = yield* Effect.promise(run)
    const kept: { readonly effect: number; readonly promise: number; readonly connected: number } = JSON.parse(stdout)
    assert.isBelow(kept.effect, MOST, "bytes kept of a closed client in Effect")
    assert.isBelow(kept.promise, MOST, "bytes kept of a closed client for Promises")
    assert.isBelow(kept.connected, MOST_CONNECTED, "bytes of a connected client in Effect")
  })
})
