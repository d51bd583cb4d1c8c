// scratch
import * as Effect from "effect/Effect"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as EmbeddedServer from "../../src/EmbeddedServer.ts"
import { isDeepStrictEqual, inspect } from "node:util"
import { Side } from "./differential.ts"
import { Program } from "./programs.ts"

const seeds = Number(process.argv[2] ?? 20), steps = Number(process.argv[3] ?? 100), first = Number(process.argv[4] ?? 1)
const main = Effect.gen(function* () {
  const real = yield* ZooKeeperServer.make({ tickTime: 2000, config: ["maxSessionTimeout=40000"], jvmFlags: ["-Dznode.container.checkIntervalMs=3600000"] })
  const ours = yield* EmbeddedServer.EmbeddedServer
  const ourPort = Number(ours.connectString.split(":").at(-1))
  yield* Effect.promise(async () => {
    const a = new Side(real.port), b = new Side(ourPort)
    const t0 = performance.now()
    let count = 0, diffs = 0
    for (let seed = first; seed < first + seeds; seed++) {
      const program = new Program(seed, 3)
      for (let i = 0; i < 3; i++) await Promise.all([a.open(i), b.open(i)])
      const log: string[] = []
      for (let n = 0; n < steps; n++) {
        const step = n === 0 ? program.begin() : program.next()
        const text = step._tag === "Request" ? `${step.session} ${step.text}` : inspect(step)
        log.push(text)
        count++
        const [x, y] = await Promise.all([a.run(step), b.run(step)])
        if (!isDeepStrictEqual(x, y)) {
          diffs++
          console.log(`--- seed ${seed} step ${n}`)
          console.log(log.slice(-8).join("\n"))
          console.log("real", inspect(x, { depth: 9, breakLength: 200 }))
          console.log("ours", inspect(y, { depth: 9, breakLength: 200 }))
          if (diffs > 0) return
        }
      }
      await a.end(); await b.end()
    }
    console.log("steps", count, "diffs", diffs, "ms", performance.now() - t0)
  })
})
await Effect.runPromise(Effect.scoped(Effect.provide(main, EmbeddedServer.layer({ reconfigEnabled: true }))))
process.exit(0)
