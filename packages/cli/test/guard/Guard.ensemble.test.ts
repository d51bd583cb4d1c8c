/** Guarded commands on an ensemble whose members are killed and cut off, with contenders that are stopped. */
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"

const isLong = process.env["ZK_LONG"] === "1"
const contenders = 5
/** How often the command of each contender has to end by itself. */
const rounds = 40

/** Writes its token for a while, in two processes that ignore SIGTERM. */
const command = (file: string): ReadonlyArray<string> => [
  "sh",
  "-c",
  `trap '' TERM; write() { for i in 1 2 3 4 5; do echo $ZK_FENCING_TOKEN >> ${file}; sleep 0.04; done; }; write & write; wait`
]

describe.skipIf(!isLong)(`zk lock, on an ensemble with faults${isLong ? "" : " (in test:long only)"}`, () => {
  it.live(
    "never lets two commands write at a time",
    () =>
      Effect.gen(function* () {
        const ensemble = yield* ZooKeeperEnsemble.make({ links: true })
        const file = Path.join(yield* inFolder, "file")
        const args = ["lock", "/l", "--session-timeout", "3s", "--", ...command(file)]
        const codes = new Map<number | null, number>()
        const once = (isStopped: boolean) =>
          Effect.scoped(
            Effect.gen(function* () {
              const { child, end } = yield* start(ensemble.connectString, args)
              if (isStopped) {
                yield* Effect.sleep("1500 millis")
                child.kill("SIGSTOP")
                yield* Effect.sleep("4 seconds")
                child.kill("SIGCONT")
              }
              const { code } = yield* end
              codes.set(code, (codes.get(code) ?? 0) + 1)
              return code
            })
          )
        const contend = (contender: number) =>
          Effect.gen(function* () {
            for (let tries = 0, done = 0; done < rounds; tries++) {
              if ((yield* once((tries + contender) % 10 === 9)) === 0) done++
            }
          })
        const faults = Effect.gen(function* () {
          for (let turn = 0; ; turn++) {
            yield* Effect.sleep("4 seconds")
            const server = ensemble.servers[turn % 3]!
            if (turn % 2 === 0) {
              yield* server.kill
              yield* Effect.sleep("1 second")
              yield* server.start
            } else {
              yield* ensemble.isolate(server)
              yield* Effect.sleep("4 seconds")
              yield* ensemble.rejoin
            }
            yield* ensemble.awaitQuorum(3)
          }
        })
        const faulting = yield* Effect.forkChild(faults)
        yield* Effect.forEach(Array.from({ length: contenders }).keys(), contend, { concurrency: "unbounded" })
        yield* Fiber.interrupt(faulting)
        const tokens = Fs.readFileSync(file, "utf8").trim().split("\n").map(BigInt)
        const late = tokens.filter((token, index) => index > 0 && token < tokens[index - 1]!)
        assert.deepStrictEqual(late, [])
        assert.isAtLeast(codes.get(0) ?? 0, contenders * rounds, JSON.stringify([...codes]))
        assert.isAtLeast(new Set(tokens).size, contenders * rounds)
      }).pipe(Effect.scoped),
    1_800_000
  )
})
