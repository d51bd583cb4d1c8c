/**
 * A client in a process of its own that watches thousands of znodes, and blocks its event loop for longer than its session.
 *
 * It prints `blocks`, and when all its watches have come to something, and once more in its new session, what became of
 * them as JSON.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { changeAll, connect, isWritable, acquireLock, until, watchAll } from "./watching.ts"
import { now } from "../../src/Expectations.ts"

/** The results that it reports. */
export interface Told {
  /** The answer to the first call after the standstill, before any packet was read. */
  readonly atOnce: "owns" | "owns nothing"
  /** The results of all watches from before. */
  readonly told: number
  readonly expired: number
  readonly states: ReadonlyArray<string>
  readonly isSame: boolean
  /** How many watches of the new session fired. */
  readonly again: number
}

const [, , servers = "", parent = "", count = "", timeout = ""] = process.argv
const COUNT = Number(count)
const SESSION = Number(timeout)

const program = Effect.gen(function* () {
  const client = yield* connect({ servers, sessionTimeout: SESSION })
  const { session } = client.zk
  yield* acquireLock(client, "blocked")
  const { id } = session
  const watching = yield* watchAll(client, parent, COUNT)
  const before = client.states.length

  process.stdout.write("blocks\n")
  yield* Effect.sleep("100 millis")
  const end = performance.now() + SESSION * 1.6
  while (performance.now() < end);
  const asking = yield* Effect.forkScoped(session.ownership, now)
  const atOnce = asking.pollUnsafe()?._tag === "Failure" ? "owns nothing" : "owns"

  yield* until(() => watching.told + watching.expired === COUNT && isWritable(client))
  const again = yield* watchAll(client, parent, COUNT)
  yield* changeAll(client, parent, 0, COUNT)
  yield* until(() => again.told + again.expired === COUNT)
  const { expired, told } = watching
  const states = client.states.slice(before)
  const result: Told = { atOnce, told, expired, states, isSame: session.id === id, again: again.told }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}).pipe(Effect.scoped)

await Effect.runPromise(Effect.provideService(program, References.MinimumLogLevel, "Error"))
