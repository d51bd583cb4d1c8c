/**
 * A process of its own (`node --expose-gc garbage.ts <servers>`) that prints how much memory each closed client leaves to the
 * next full collection of garbage, and how much each connected one takes, in bytes, as JSON: `{ effect, promise, connected }`.
 */
import { PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const [, , servers = ""] = process.argv

/** Clients before the measurement, which compile the code and fill the caches, and clients within it. */
const WARM = 60
const MEASURED = 40

const collectYoung = async (): Promise<void> => {
  // Sockets are closed a turn after their client, and handles go when their callbacks have run.
  for (let round = 0; round < 6; round++) {
    await Effect.runPromise(Effect.sleep(20))
    await globalThis.gc?.({ type: "minor" })
  }
}

const keptBy = async (useClient: () => Promise<void>): Promise<number> => {
  for (let index = 0; index < WARM; index++) await useClient()
  // The first collection may free references to more garbage, which only the second finds.
  for (let round = 0; round < 2; round++) {
    await collectYoung()
    await globalThis.gc?.()
  }
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < MEASURED; index++) await useClient()
  await collectYoung()
  return (process.memoryUsage().heapUsed - before) / MEASURED
}

const effect = await keptBy(() =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(Layer.build(ZooKeeper.layer({ servers })), (context) =>
        Effect.provideContext(
          Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => zk.exists("/")),
          context
        )
      )
    )
  ).then(() => {})
)

const promise = await keptBy(async () => {
  await using zk = await PromiseClient.connect(servers)
  await zk.exists("/")
})

const collectAll = async (): Promise<void> => {
  for (let round = 0; round < 3; round++) {
    await Effect.runPromise(Effect.sleep(20))
    await globalThis.gc?.()
  }
}

const connected = await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.promise(collectAll)
      const before = process.memoryUsage().heapUsed
      for (let index = 0; index < MEASURED; index++) yield* Layer.build(ZooKeeper.layer({ servers }))
      yield* Effect.promise(collectAll)
      return (process.memoryUsage().heapUsed - before) / MEASURED
    })
  )
)

process.stdout.write(JSON.stringify({ effect, promise, connected }))
process.exit(0)
